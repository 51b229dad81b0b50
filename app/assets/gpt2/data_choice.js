// Which pairs to train on: those that ship, the Playground's, or a person's own as JSONL.
import { h } from "../shared/dom.js";

const SOURCES = [
  ["bundled", "bundled: best against worst review"],
  ["playground", "the Playground's world"],
  ["jsonl", "own pairs (JSONL)…"],
];

export function dataChoice(page) {
  const { draft } = page;
  const anew = () => Object.assign(draft, { flips: [], agreements: {} }); // they were meant for other pairs
  const paste = h("textarea", {
    rows: 5,
    class: "wide",
    "aria-label": "Pairs as JSONL",
    "data-where": "pairs",
    placeholder: '{"prompt": "The film", "chosen": " was great.", "rejected": " was dull."}',
    oninput: () => {
      draft.text = paste.value;
      anew();
    },
  });
  const file = h("input", { type: "file", accept: ".jsonl,.json,.txt", "aria-label": "Open a JSONL file" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (chosen.size > 1_000_000) {
      page.say("error", `${chosen.name} is larger than 1 MB. Use fewer pairs.`);
      return;
    }
    draft.text = paste.value = await chosen.text();
    anew();
    file.value = "";
    page.preview();
  });
  const show = h("button", { type: "button", onclick: () => page.preview() }, "Show these pairs");
  const own = h("div", { class: "own", hidden: true }, paste, h("div", { class: "row" }, file, show));
  const select = h(
    "select",
    {
      "aria-label": "Preference data",
      onchange: () => {
        draft.data = select.value;
        anew();
        own.hidden = select.value !== "jsonl";
        if (select.value !== "jsonl" || draft.text.trim()) page.preview();
        else paste.focus();
      },
    },
    SOURCES.map(([value, text]) => h("option", { value }, text)),
  );
  return {
    select,
    own,
    show() {
      if (document.activeElement !== select) select.value = draft.data;
      own.hidden = draft.data !== "jsonl";
      if (document.activeElement !== paste) paste.value = draft.text;
    },
  };
}
