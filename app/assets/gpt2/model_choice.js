// Which model to train: one of those offered, or any other by its name.
import { h } from "../shared/dom.js";
import { facts } from "../shared/facts.js";

export function modelChoice(page, chosen) {
  const { draft } = page;
  const labels = facts.gpt2.models;
  const other = h("input", {
    type: "text",
    class: "name",
    placeholder: "OWNER/NAME or a folder",
    "aria-label": "Hub name or folder",
    "data-where": "model",
    hidden: true,
    oninput: () => {
      draft.model = other.value;
    },
  });
  const model = h(
    "select",
    {
      "aria-label": "Model",
      onchange: () => {
        other.hidden = model.value !== "";
        draft.model = model.value || other.value;
        if (!other.hidden) other.focus();
        chosen();
      },
    },
    (page.facts.offered ?? Object.keys(labels)).map((name) =>
      h("option", { value: name }, labels[name] ?? name),
    ),
    page.facts.offered ? null : h("option", { value: "" }, "another GPT-2…"),
  );
  return {
    fields: [model, other],
    show() {
      if (document.activeElement === model || document.activeElement === other) return;
      const known = [...model.options].some((o) => o.value === draft.model);
      model.value = known ? draft.model : "";
      other.hidden = known;
      if (!known) other.value = draft.model;
    },
  };
}
