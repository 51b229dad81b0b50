// What to train, on what, and how. β, learning rate and σ weight also change a run that is under way.
import { h } from "../shared/dom.js";
import { term } from "../shared/terms.js";

const tidy = (x) => Number(x.toPrecision(3));
const numeric = (text) =>
  text.trim() === ""
    ? text
    : Number.isFinite(Number(text.replace(",", ".")))
      ? Number(text.replace(",", "."))
      : text;

export function setup(page) {
  const { draft } = page;
  const control = (label, ...fields) => h("label", { class: "control" }, label, ...fields);
  const asked = {}; // what was changed a moment ago, and is not yet told to be in force

  // What holds: the rules of a run that is under way, else what the one that waits, or the next, begins with.
  function now(name) {
    const mine = (name === "learning_rate" ? draft.optimizer : draft.objective)[name];
    return page.live && page.record.started && !(performance.now() - asked[name] < 2000)
      ? page.record.rules[name]
      : mine;
  }

  function change(name, value) {
    asked[name] = performance.now();
    (name === "learning_rate" ? draft.optimizer : draft.objective)[name] = value;
    if (page.live) page.intervene(name, value);
  }

  function logSlider(key, label, low, high, get) {
    const slider = h("input", {
      type: "range",
      min: Math.log10(low),
      max: Math.log10(high),
      step: 0.01,
      "aria-label": `${label}, log scale`,
    });
    const field = h("input", {
      type: "text",
      inputmode: "decimal",
      class: "exact",
      "aria-label": `${label}, exact value`,
      "data-where": key,
    });
    slider.addEventListener("input", () => {
      field.value = tidy(10 ** slider.value);
    });
    slider.addEventListener("change", () => change(key, tidy(10 ** slider.value)));
    field.addEventListener("change", () => {
      const value = numeric(field.value);
      if (typeof value === "number" && value > 0) change(key, value);
      else
        page.say("error", `${label}: “${field.value}” is not a positive number. Write one such as ${get()}.`);
    });
    const show = () => {
      if (document.activeElement !== slider) slider.value = Math.log10(get());
      if (document.activeElement !== field) field.value = get();
    };
    return { root: control(term(key, label), slider, field), show };
  }

  const beta = logSlider("beta", "β", 0.01, 10, () => now("beta"));
  const rate = logSlider("learning_rate", "learning rate η", 1e-6, 1, () => now("learning_rate"));
  const sigma = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": "sigma weight",
    onchange: () => change("sigma_weight", sigma.checked),
  });

  const named = ["shipped", "gpt2", "distilgpt2"];
  const labels = { shipped: "shipped: reviews, 1 M", gpt2: "gpt2, 124 M", distilgpt2: "distilgpt2, 82 M" };
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
        usual();
      },
    },
    (page.facts.offered ?? named).map((name) => h("option", { value: name }, labels[name] ?? name)),
    page.facts.offered ? null : h("option", { value: "" }, "another GPT-2…"),
  );

  const paste = h("textarea", {
    rows: 5,
    class: "wide",
    "aria-label": "Pairs as JSONL",
    "data-where": "pairs",
    placeholder: '{"prompt": "The film", "chosen": " was great.", "rejected": " was dull."}',
    oninput: () => {
      draft.text = paste.value;
      draft.flips = [];
      draft.agreements = {};
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
    draft.flips = [];
    draft.agreements = {};
    file.value = "";
    page.preview();
  });
  const own = h(
    "div",
    { class: "own", hidden: true },
    paste,
    h(
      "div",
      { class: "row" },
      file,
      h("button", { type: "button", onclick: () => page.preview() }, "Show these pairs"),
    ),
  );
  const data = h(
    "select",
    {
      "aria-label": "Preference data",
      onchange: () => {
        draft.data = data.value;
        draft.flips = [];
        draft.agreements = {};
        own.hidden = data.value !== "jsonl";
        if (data.value !== "jsonl" || draft.text.trim()) page.preview();
        else paste.focus();
      },
    },
    [
      ["bundled", "bundled: best against worst review"],
      ["playground", "the Playground's world"],
      ["jsonl", "own pairs (JSONL)…"],
    ].map(([value, text]) => h("option", { value }, text)),
  );

  const whole = (key, label, words, low, high) => {
    const field = h("input", {
      type: "number",
      min: low,
      max: high,
      step: 1,
      class: "exact",
      "aria-label": label,
      onchange: () => {
        draft[key] = numeric(field.value);
      },
    });
    return {
      root: control(words ?? label, field),
      show: () => {
        if (document.activeElement !== field) field.value = draft[key];
      },
    };
  };
  const choice = (label, options, get, set) => {
    const field = h(
      "select",
      { "aria-label": label, onchange: () => set(field.value) },
      options.map((o) => h("option", { value: o }, o)),
    );
    return {
      root: control(label, field),
      show: () => {
        field.value = get();
      },
    };
  };
  const steps = whole("steps", "steps", null, 1, 5000);
  const more = [
    whole("batch_size", "pairs per step", term("batch_size", "pairs per step"), 0, 4096),
    whole("measure_every", "measure every", term("measure_every", "measure every"), 1, 5000),
    whole("seed", "seed", null, 0, 2 ** 31 - 1),
    choice(
      "optimizer",
      ["adamw", "sgd"],
      () => draft.optimizer.name,
      (v) => usual(v),
    ),
    choice(
      "number format",
      ["float32", "bfloat16", "float64"],
      () => draft.dtype,
      (v) => {
        draft.dtype = v;
      },
    ),
    choice(
      "device",
      ["auto", "cpu", "cuda", "mps"],
      () => draft.device,
      (v) => {
        draft.device = v;
      },
    ),
  ];
  // Every model and optimizer has a learning rate at which it usually learns.
  function usual(name) {
    const rates = page.facts.rates[draft.model === "shipped" ? "shipped" : "other"];
    draft.optimizer.name = name ?? Object.keys(rates)[0];
    draft.optimizer.learning_rate = rates[draft.optimizer.name];
    page.update();
  }

  const slow = h("p", { class: "hint slow", role: "note", hidden: true });
  function say() {
    slow.hidden = draft.model === "shipped";
    slow.textContent =
      "A model of this size takes seconds for each step on a CPU (the shipped one takes a fraction of one). Before the first step its speed is forecast on this machine, and a run of more than two minutes asks first.";
  }

  const root = h(
    "section",
    { class: "setup", "aria-label": "Settings" },
    h(
      "div",
      { class: "controls" },
      control("model", model, other),
      control("data", data),
      beta.root,
      rate.root,
      h("label", { class: "control switch" }, sigma, term("sigma_weight", "σ weight")),
      steps.root,
      h(
        "details",
        { class: "more" },
        h("summary", {}, "More"),
        h(
          "div",
          { class: "controls" },
          more.map((m) => m.root),
        ),
      ),
    ),
    own,
    slow,
  );
  return {
    root,
    update() {
      [beta, rate, steps, ...more].forEach((part) => part.show());
      sigma.checked = now("sigma_weight");
      if (document.activeElement !== data) data.value = draft.data;
      own.hidden = draft.data !== "jsonl";
      if (document.activeElement !== paste) paste.value = draft.text;
      if (document.activeElement !== model && document.activeElement !== other) {
        const known = [...model.options].some((o) => o.value === draft.model);
        model.value = known ? draft.model : "";
        other.hidden = known;
        if (!known) other.value = draft.model;
      }
      say();
    },
  };
}
