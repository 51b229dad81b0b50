// What fits on a slide: sections cut into slides, and the largest type at which nothing exceeds the stage.
const READABLE = 16; // pixels of the stage: nothing is set smaller
const STEP = 0.04;
const ROWS = ".l-beside, .l-beside > div, .l-together, .l-wrong, .l-evidence";
const SCROLLING = ".tex.display, .l-formula, .table, pre, .l-attempt";

const smallest = (page) => READABLE / parseFloat(getComputedStyle(page.parentElement).fontSize);

export const exceeds = (page) =>
  page.scrollHeight > page.clientHeight + 1 ||
  [page, ...page.querySelectorAll(SCROLLING)].some((node) => node.scrollWidth > node.clientWidth + 1);

function exceedsAt(page, size) {
  page.style.fontSize = `${size}em`;
  return exceeds(page);
}

// The words of a chart are set in units of its own box: as large as its drawn width asks for.
function letter(page) {
  for (const chart of page.querySelectorAll("svg.l-chart"))
    if (chart.clientWidth)
      chart.style.fontSize = `${Math.max(11, (1.01 * READABLE * chart.viewBox.baseVal.width) / chart.clientWidth)}px`;
}

// The largest type at which the page fits.
export function fit(page) {
  const least = smallest(page);
  for (let size = 1; ; size -= STEP) {
    page.style.fontSize = `${Math.max(least, size)}em`;
    letter(page);
    if (size <= least || !exceeds(page)) return;
  }
}

// Fill slides greedily; a heading (###) stays with what follows it, a link with what it is about.
export function paginate(page, units) {
  page.replaceChildren();
  const slides = [];
  let current = [];
  for (const unit of units) {
    page.append(unit);
    const joined = unit.classList.contains("l-showline") && !exceedsAt(page, smallest(page));
    if (current.length && !joined && exceedsAt(page, 1)) {
      const heading = current.length > 1 && current.at(-1).querySelector?.(":scope > h3");
      const carried = heading ? [current.pop()] : [];
      slides.push(current);
      current = [...carried, unit];
      page.replaceChildren(...current);
    } else current.push(unit);
  }
  return current.length || !slides.length ? [...slides, current] : slides;
}

// What even the smallest type does not fit on one slide is taken apart; the run that an answer shows has its own slide.
export function unitsOf(section, page) {
  const apart = (node) => {
    if (node.matches(".l-predict")) return [node, ...node.querySelectorAll(".l-answer > .l-run")];
    if (!node.matches(ROWS)) return [node];
    page.replaceChildren(node.cloneNode(true));
    return exceedsAt(page, smallest(page)) ? [...node.children].flatMap(apart) : [node];
  };
  return [...section.children].filter((node) => node.tagName !== "H2").flatMap(apart);
}

// Where every node belongs, so that the page gets back what the slides borrow.
export function borrowed(sections) {
  const homes = sections
    .flatMap((section) => [section, ...section.querySelectorAll(`${ROWS}, .l-answer`)])
    .map((home) => ({ home, children: [...home.children] }));
  return function giveBack() {
    homes.forEach(({ home, children }) => home.prepend(...children)); // what was written meanwhile stays, last
    for (const chart of sections.flatMap((one) => [...one.querySelectorAll("svg.l-chart")]))
      chart.style.fontSize = "";
  };
}
