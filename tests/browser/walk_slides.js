// Turns every slide of an open lecture by its key and measures it; returns one line for each fault.
async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const dialog = document.querySelector("dialog.s-lecture");
  const compact = dialog.classList.contains("s-compact");
  const page = dialog.querySelector(".s-page");
  const press = (key) => dialog.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const shown = (node) => node.checkVisibility({ visibilityProperty: true });
  const words = (node) => [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
  const inScript = (node) =>
    node.closest("sub, sup, tspan, .msupsub, .vlist-s, .mtight, .katex-mathml, .vlist"); // indices are smaller by custom
  function faults() {
    const found = [];
    const stage = dialog.querySelector(".s-stage");
    const scale = stage.getBoundingClientRect().width / stage.offsetWidth;
    const wide = page.scrollWidth - page.clientWidth;
    const high = page.scrollHeight - page.clientHeight;
    if (wide > 1) found.push(`${wide} px too wide`);
    if (high > 1 && !compact) found.push(`${high} px too high`);
    for (const node of dialog.querySelectorAll("*")) {
      if (!shown(node)) continue;
      const name = `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}`;
      const hidden =
        !node.closest(".katex") &&
        getComputedStyle(node).overflowX !== "visible" &&
        !node.matches(".s-title, input, select");
      if (!compact && hidden && node.scrollWidth > node.clientWidth + 1)
        found.push(`${name} hides ${node.scrollWidth - node.clientWidth} px`);
      if (
        compact &&
        node.matches("button, select, summary, input:not([type=radio]):not([type=range]), .l-choice")
      ) {
        const box = node.getBoundingClientRect();
        if (box.height < 39.5) found.push(`${name} is a target of ${Math.round(box.height)} px`);
      }
      if (!words(node) || inScript(node)) continue;
      const svg = node.closest("svg");
      const size =
        parseFloat(getComputedStyle(node).fontSize) * (svg ? svg.clientWidth / svg.viewBox.baseVal.width : 1);
      if (size < 15.95)
        found.push(`${name} has type of ${size.toFixed(1)} px: ${node.textContent.trim().slice(0, 24)}`);
      if (/π_ref|_ref\b/.test(node.textContent) && !node.closest("code, pre, .katex"))
        found.push(`raw: ${node.textContent.slice(0, 50)}`);
    }
    for (const pad of dialog.querySelectorAll(".l-pad"))
      if (!compact && pad.clientWidth < 560) found.push(`the sketch is only ${pad.clientWidth} px wide`);
    return [...new Set(found)];
  }
  press("Home");
  const report = [];
  let slides = 0;
  for (let step = 0; step < 600; step++) {
    await frame();
    await frame();
    const where = `${dialog.querySelector(".s-head").textContent} (slide ${dialog.dataset.slide}${page.querySelector("[data-state]") ? ", answered" : ""})`;
    for (const fault of faults()) report.push(`${where}: ${fault}`);
    const before = `${dialog.dataset.slide} ${page.querySelectorAll(".unfolded, [data-state], [aria-selected=true]").length} ${page.querySelector("[aria-selected=true]")?.id}`;
    press("PageDown");
    slides = Number(dialog.dataset.slide);
    const after = `${dialog.dataset.slide} ${page.querySelectorAll(".unfolded, [data-state], [aria-selected=true]").length} ${page.querySelector("[aria-selected=true]")?.id}`;
    if (before === after) break;
  }
  return { report, slides, total: Number(dialog.querySelector(".s-where").textContent.split("/")[1]) };
};
