// Share, export and help.
import { dialog } from "../shared/dialog.js";
import { download, h } from "../shared/dom.js";
import { figure } from "./figure.js";

export function sharer(app) {
  const field = h("input", {
    type: "text",
    readonly: true,
    class: "wide",
    "aria-label": "Link to this state",
    onfocus: () => field.select(),
  });
  const copied = h("span", { role: "status" });
  const code = h("div", { class: "qr" });
  const hint = h("p", { class: "hint" });
  const copy = h(
    "button",
    {
      type: "button",
      class: "primary",
      onclick: async () => {
        let done = true; // without https there is no clipboard object: then the older command
        try {
          await navigator.clipboard.writeText(field.value);
        } catch {
          field.select();
          done = document.execCommand("copy");
        }
        copied.textContent = done ? "Copied." : "Not copied: the link is selected, press Ctrl+C (⌘C).";
      },
    },
    "Copy link",
  );
  const box = dialog(
    "Share exactly this state",
    h("p", {}, "World, changes and playhead are all in the link; whoever opens it sees this picture."),
    field,
    h("p", {}, copy, " ", copied),
    code,
    hint,
  );
  return {
    root: box.root,
    open() {
      app.pause();
      field.value = `${location.origin}${location.pathname}?${app.query}`;
      copied.textContent = "";
      code.textContent = "Drawing the QR code…";
      const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
      hint.textContent = local
        ? "This address works on this computer only. For the room, open the app by this machine's network address first, then share."
        : "";
      app.send({ type: "qr", url: field.value });
      box.show();
    },
    update(run) {
      if (!box.root.open) return;
      if (run.qr) code.innerHTML = run.qr;
      else if (run.notice?.where === "QR code") code.textContent = run.notice.text;
    },
  };
}

export function exporter(app) {
  const state = h("p", { role: "status" });
  let waiting = false; // so that each file that was asked for is saved once, and none again after a change of page
  const ask = (what) => () => {
    if (waiting) return;
    waiting = true;
    state.textContent = "Writing…";
    app.send({ type: "export", what });
  };
  const draw = (format) => async () => {
    state.textContent = "Drawing…";
    try {
      const wanted = await figure(app, format);
      download(`dpo-lab.${format}`, wanted, "");
      state.textContent = `Saved dpo-lab.${format}.`;
    } catch (error) {
      state.textContent = `The figure could not be drawn (${error.message}). Reload the page and try again.`;
    }
  };
  const button = (text, action) => h("button", { type: "button", onclick: action }, text);
  const box = dialog(
    "Export",
    h(
      "div",
      { class: "choices" },
      button("Scenario (JSON)", ask("scenario")),
      button("Trajectory (CSV)", ask("csv")),
      button("Preference pairs (JSONL)", ask("pairs")),
      button("Figure (PNG)", draw("png")),
      button("Figure (SVG)", draw("svg")),
    ),
    h(
      "p",
      { class: "hint" },
      "The scenario file runs with “python -m dpo_core simulate FILE”. The CSV holds every number of the run in full float64 precision.",
    ),
    state,
  );
  return {
    root: box.root,
    save: (what) => ask(what)(),
    open() {
      state.textContent = "";
      box.show();
    },
    update(run) {
      if (!waiting || !(run.download || run.notice?.kind === "error")) return;
      waiting = false;
      if (!run.download) {
        state.textContent = run.notice.text;
        return;
      }
      download(run.download.name, run.download.text, "text/plain");
      state.textContent = `Saved ${run.download.name}.`;
    },
  };
}

export function helper(app) {
  const keys = [
    ["space", "play or pause"],
    ["← →", "one step back or forward"],
    ["R", "restart: back to step 0"],
    ["U", "undo the last change, whatever it was"],
    ["Shift + U", "redo"],
    ["F", "show or cover the future"],
    ["P", "presenter view"],
    ["?", "this help"],
  ];
  const box = dialog(
    "Help",
    h("h3", {}, "What you see"),
    h(
      "p",
      {},
      "Each bar is the policy's exact probability of a reply. The grey tick is the reference, " +
        "where every run starts. The diamond is the optimum of the labels, where the labels' loss is smallest, if " +
        "there is such a point.",
    ),
    h(
      "p",
      {},
      "A lane with + and − joins the two replies of a pair: + was chosen, − rejected. Click " +
        "it to flip the label. Whatever you change takes effect at the playhead; the run " +
        "goes on from there and the change enters the event log.",
    ),
    h(
      "p",
      {},
      "In a plot, drag to zoom and double-click to reset; point at a dotted word or a number to read its definition and equation.",
    ),
    h("h3", {}, "Keyboard"),
    h(
      "dl",
      { class: "keys" },
      keys.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]),
    ),
    h(
      "p",
      { class: "hint" },
      "All numbers are computed in float64 by the core, from Rafailov et al. 2023 (arXiv 2305.18290).",
    ),
  );
  return {
    root: box.root,
    open: () => {
      app.pause();
      box.show();
    },
  };
}
