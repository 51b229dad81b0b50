// Rankings and thumbs as lanes beside the bars: a number at each ranked reply, an arrow at one that has a thumb.
import { h } from "../shared/dom.js";
import { short } from "../shared/format.js";

const at = (node, first, last) => {
  node.style.setProperty("--first", first);
  node.style.setProperty("--span", last - first);
};

function rankingLane(app, i) {
  return h("button", {
    type: "button",
    class: "lane ranking",
    "data-ranking": i,
    onclick: () => app.intervene("reverse", null, i),
  });
}

function thumbLane(app, i) {
  return h("button", {
    type: "button",
    class: "lane thumb",
    "data-thumb": i,
    onclick: () => app.intervene("thumb", null, i),
  });
}

function showRanking(node, run, [prompt, order], i) {
  const first = Math.min(...order);
  at(node, first, Math.max(...order));
  node.replaceChildren(
    ...order.map((reply, place) =>
      h("span", { class: "place", style: `--at:${reply - first}` }, String(place + 1)),
    ),
  );
  const names = order.map((reply) => `“${short(run.prompts[prompt].replies[reply], 40)}”`);
  node.title = `Ranking ${i + 1}, best first: ${names.join(", ")}. Click to reverse.`;
  node.setAttribute("aria-label", node.title);
}

function showThumb(node, run, [prompt, reply, up], i) {
  at(node, reply, reply);
  node.classList.toggle("down", !up);
  node.replaceChildren(h("span", { class: "place" }, up ? "↑" : "↓"));
  const text = short(run.prompts[prompt].replies[reply], 60);
  node.title = `Thumb ${i + 1}: “${text}” is ${up ? "liked" : "not liked"}. Click to turn it.`;
  node.setAttribute("aria-label", node.title);
}

export function labelLanes(app) {
  let rankings = [];
  let thumbs = [];
  let owner = new Map();
  return {
    build(run) {
      const [first] = run.segments;
      rankings = first.rankings.map((_, i) => rankingLane(app, i));
      thumbs = first.thumbs.map((_, i) => thumbLane(app, i));
      owner = new Map([
        ...rankings.map((node, i) => [node, first.rankings[i][0]]),
        ...thumbs.map((node, i) => [node, first.thumbs[i][0]]),
      ]);
    },
    of: (prompt) => [...owner].filter(([, p]) => p === prompt).map(([node]) => node),
    show(run, now) {
      now.rankings.forEach((ranking, i) => showRanking(rankings[i], run, ranking, i));
      now.thumbs.forEach((thumb, i) => showThumb(thumbs[i], run, thumb, i));
    },
  };
}
