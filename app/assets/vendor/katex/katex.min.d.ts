export {}; // For the type checker only: the script sets the global `katex`.
