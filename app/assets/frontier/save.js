// The figure as a file, on white, with a legend of its own; the points and the table as CSV; the link.
import { dialog } from "../shared/dialog.js";
import { download, h } from "../shared/dom.js";
import { facts } from "../shared/facts.js";
import { lookOf } from "../shared/method_looks.js";
import { svg } from "../shared/svg.js";
import { pointsCsv, tableCsv } from "./numbers.js";
import { Picture, paletteOf } from "./picture.js";
import { verdict } from "./words.js";

const [WIDTH, HEIGHT, LEGEND, TITLE] = [1200, 700, 270, 50];
const SCALE = 2; // of the PNG, so that it is sharp on a slide

function legend(names, palette) {
  const entries = [
    ["exact frontier, ◆ π* at each β", { stroke: palette.optimum, "stroke-width": 3.5 }],
    ["best of N", { stroke: palette.ink, "stroke-width": 1.6, "stroke-dasharray": "5 4" }],
    ...names.map((name) => {
      const { ink, dash } = lookOf(name);
      return [
        facts.methods[name].title,
        { stroke: ink, "stroke-width": 2.5, "stroke-dasharray": dash?.join(" ") },
      ];
    }),
  ];
  return svg(
    "g",
    { "font-size": 13, fill: palette.ink },
    entries.flatMap(([text, line], i) => {
      const y = TITLE + 24 + 22 * i;
      return [
        svg("line", { x1: WIDTH - LEGEND + 8, x2: WIDTH - LEGEND + 40, y1: y, y2: y, ...line }),
        svg("text", { x: WIDTH - LEGEND + 48, y: y + 4.5 }, text),
      ];
    }),
  );
}

// The sentence over the figure, on two lines where it is long.
function said(sentence, ink) {
  const at = sentence.indexOf("; ") + 1;
  const lines = at ? [sentence.slice(0, at), sentence.slice(at + 1)] : [sentence];
  return lines.map((line, i) => svg("text", { x: 16, y: 22 + 19 * i, "font-size": 14.5, fill: ink }, line));
}

/** The picture as SVG text. */
export function figure(app) {
  const light = h("div", { class: "lab", hidden: true });
  app.host.append(light);
  const palette = paletteOf(light);
  light.remove();
  const picture = new Picture({
    width: WIDTH - LEGEND,
    height: HEIGHT - TITLE,
    palette,
    size: 14,
    look: (name) => lookOf(name),
  });
  picture.draw(app.page, app.runs, app.view.beta);
  picture.seek(Math.round(app.place));
  picture.root.setAttribute("y", String(TITLE));
  const size = { width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}` };
  const root = svg(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", ...size, "font-family": "system-ui, sans-serif" },
    svg("rect", { width: WIDTH, height: HEIGHT, fill: "#fff" }),
    said(verdict(app.page, app.runs, app.place), palette.ink),
    picture.root,
    legend(app.drawnMethods(), palette),
  );
  return new XMLSerializer().serializeToString(root);
}

async function png(text) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = h("canvas", { width: WIDTH * SCALE, height: HEIGHT * SCALE });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "The link to exactly this page is copied.";
  } catch {
    return "Copy the address of this page: it holds everything that you see.";
  }
}

export function exporter(app) {
  const state = h("p", { role: "status" });
  const save = (name, make, type = "text/plain") =>
    h(
      "button",
      {
        type: "button",
        onclick: async () => {
          try {
            download(name, await make(), type);
            state.textContent = `Saved ${name}.`;
          } catch (error) {
            state.textContent = `${name} could not be made (${error.message}). Reload the page and try again.`;
          }
        },
      },
      { "dpo-lab-frontier.png": "Figure (PNG)", "dpo-lab-frontier.svg": "Figure (SVG)" }[name] ??
        (name.includes("points") ? "Points (CSV)" : "Table (CSV)"),
    );
  const box = dialog(
    "Export",
    h(
      "div",
      { class: "choices" },
      save("dpo-lab-frontier.png", () => png(figure(app))),
      save("dpo-lab-frontier.svg", () => figure(app), "image/svg+xml"),
      save("dpo-lab-frontier-points.csv", () => pointsCsv(app.page, app.runs), "text/csv"),
      save("dpo-lab-frontier-table.csv", () => tableCsv(app.page, app.runs, app.place), "text/csv"),
      h(
        "button",
        {
          type: "button",
          onclick: async () => {
            state.textContent = await copy(
              `${location.origin}${location.pathname}?${app.page.link}&t=${app.step}`,
            );
          },
        },
        "Copy link",
      ),
    ),
    h(
      "p",
      { class: "hint" },
      "Numbers are in full float64 precision. “python -m dpo_core frontier FILE” prints the same as JSON.",
    ),
    state,
  );
  return {
    root: box.root,
    open: () => {
      app.pause();
      state.textContent = "";
      box.show();
    },
  };
}
