// Light or dark. Streamlit announces a change of theme only through its CSS variables, so they are looked at.
const EVERY = 500; // ms

/** @param {string} background  a colour as #rrggbb; anything else counts as white */
export function isDark(background) {
  const [r, g, b] = (background.match(/[0-9a-f]{2}/gi) ?? ["ff", "ff", "ff"]).map((x) => parseInt(x, 16));
  return 0.3 * r + 0.59 * g + 0.11 * b < 128;
}

/**
 * Gives ``root`` the class "dark" while the theme is; ``changed`` is called after each change, and at first.
 * @param {Element} host
 * @param {Element} root
 * @param {() => void} changed
 * @returns {() => void} what ends the watch
 */
export function watchTheme(host, root, changed = () => {}) {
  let seen = null;
  const look = () => {
    const now = getComputedStyle(host).getPropertyValue("--st-background-color");
    if (now === seen) return;
    seen = now;
    root.classList.toggle("dark", isDark(now));
    changed();
  };
  look();
  const timer = setInterval(look, EVERY);
  return () => clearInterval(timer);
}
