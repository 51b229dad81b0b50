// What a lesson's page hides at the present width; one line for each fault.
() => {
  const room = document.documentElement.clientWidth;
  const found = [];
  const style = (node) => getComputedStyle(node);
  const scrolls = (node) => node.closest(".lessons *") && /auto|scroll/.test(style(node).overflowX);
  const inScroller = (node) => {
    for (let up = node.parentElement; up; up = up.parentElement) if (scrolls(up)) return up;
    return null;
  };
  const within = document.querySelectorAll(".lessons, .lessons *");
  for (const node of within) {
    if (node.closest(".katex, svg, [aria-hidden=true], .bubble, thead") || !node.checkVisibility()) continue;
    const name = `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}`;
    const box = node.getBoundingClientRect();
    if (box.width && (box.right > room + 1 || box.left < -1) && !inScroller(node))
      found.push(`${name} ends at ${Math.round(box.right)} of ${room} px`);
    const more = node.scrollWidth - node.clientWidth;
    if (
      more <= 1 ||
      !node.clientWidth ||
      style(node).overflowX === "visible" ||
      node.matches("input, select, textarea")
    )
      continue;
    if (!scrolls(node)) found.push(`${name} hides ${more} px`);
    else if (node.tabIndex < 0 && !node.querySelector("a, button, [tabindex='0']"))
      found.push(`${name} scrolls ${more} px out of the keyboard's reach`);
  }
  const main = document.querySelector("[data-testid=stMain]");
  if (main.scrollWidth > room) found.push(`the page is ${main.scrollWidth} px wide`);
  return [...new Set(found)];
};
