// TeX to pictures of it, with KaTeX. \sym{name}{tex} marks a symbol that the glossary explains.
let katex;
const loading = import("../vendor/katex/katex.min.js"); // sets the global

export async function loadMath() {
  await loading;
  katex = globalThis.katex;
}

const options = (displayMode) => ({
  displayMode,
  throwOnError: false,
  trust: (context) => context.command === "\\htmlData",
  strict: "ignore",
  macros: { "\\sym": "\\htmlData{sym=#1}{#2}" },
});

export const texTo = (node, tex, display = false) => katex.render(tex, node, options(display));

// A wide formula scrolls: keys must reach it, at whatever width the page has.
const width = new ResizeObserver((seen) => {
  for (const { target } of seen)
    if (target.scrollWidth > target.clientWidth + 1) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
});

// Draws every formula below ``root`` that is not drawn yet; a block's wide formulas scroll on their own.
export function drawMath(root) {
  for (const node of root.querySelectorAll(".tex:not([data-tex])")) {
    node.dataset.tex = node.textContent;
    texTo(node, node.dataset.tex, node.classList.contains("display"));
    if (node.classList.contains("display")) width.observe(node);
  }
  return root;
}
