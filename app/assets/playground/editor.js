// The world as a form: prompts, replies, reference, rewards, pairs. The server checks it; what was typed stays.
import { blankReply, readDraft, worldOf } from "./draft.js";
import { pairForm, promptForm, small } from "./editor_form.js";
import { dialog } from "../shared/dialog.js";
import { h } from "../shared/dom.js";

const MOST = 1_000_000; // bytes of a file

// Reads a file or pasted text and hands it to ``load`` by name; ``complain`` says why not.
function importer(load, complain) {
  const paste = h("textarea", {
    rows: 4,
    class: "wide",
    "aria-label": "Paste a scenario or JSONL",
    placeholder: '{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}',
  });
  const file = h("input", {
    type: "file",
    accept: ".json,.jsonl,.txt",
    "aria-label": "Open a scenario or JSONL file",
  });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (chosen.size > MOST) {
      complain(`${chosen.name} is larger than 1 MB. Use a smaller file.`);
      return;
    }
    paste.value = await chosen.text();
    file.value = "";
    load(chosen.name, paste.value);
  });
  const run = () => load("pasted text", paste.value);
  const root = h(
    "details",
    { class: "import" },
    h("summary", {}, "Import a scenario (JSON) or preference pairs (JSONL)"),
    h("p", {}, file),
    paste,
    h("p", {}, h("button", { type: "button", onclick: run }, "Run the pasted text")),
  );
  return {
    root,
    clear() {
      paste.value = "";
    },
  };
}

// The field that a message is about: its own, that of the list it is in, or that of the whole prompt or pair.
function fieldFor(form, where) {
  const paths = [where, where.replace(/\[\d+\]$/, ""), where.replace(/\.[a-z]+(\[\d+\])?$/, "")];
  return paths.map((path) => path && form.querySelector(`[data-where="${CSS.escape(path)}"]`)).find(Boolean);
}

// What is wrong, beside its field where it has one.
function complainer(form, message) {
  return (text, where = "") => {
    message.textContent = text;
    message.hidden = !text;
    form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    form.querySelectorAll(".beside").forEach((note) => note.remove());
    const field = fieldFor(form, where);
    if (!field) return;
    message.hidden = true;
    field.setAttribute("aria-invalid", "true");
    field.after(h("span", { class: "beside", role: "alert" }, text));
    field.scrollIntoView({ block: "nearest" });
    field.focus();
  };
}

// All fields of a draft; ``restart`` puts back what is running.
function worldForm(draft, edit, restart) {
  const addPrompt = () =>
    draft.prompts.push({ text: "", replies: [0, 1].map(() => blankReply("0.5")), rankings: "", thumbs: "" });
  const addPair = () => draft.pairs.push({ prompt: 0, chosen: 0, rejected: 1, agreement: "1" });
  return [
    ...draft.prompts.map((_, p) => promptForm(draft, edit, p)),
    small("+ prompt", "Add a prompt", () => edit.change(addPrompt)),
    h(
      "fieldset",
      { "data-where": "comparisons", tabindex: "-1" },
      h("legend", {}, "Pairs: who beats whom, and the share of raters who agree"),
      draft.pairs.map((_, i) => pairForm(draft, edit, i)),
      draft.prompts.length ? small("+ pair", "Add a pair", () => edit.change(addPair)) : null,
    ),
    h(
      "p",
      { class: "submit" },
      h("button", { type: "submit", class: "primary" }, "Run this world"),
      " ",
      h("button", { type: "button", onclick: restart }, "Put back what is running"),
    ),
  ];
}

export function editor(app) {
  let draft = null;
  let touched = false; // a draft that nobody changed follows the run
  let waiting = false;
  const ask = (event) => {
    waiting = true;
    app.send(event);
  };
  const form = h("form", {
    class: "world",
    onsubmit: (event) => {
      event.preventDefault();
      ask({ type: "edit", world: worldOf(draft) });
    },
  });
  const message = h("p", { class: "problem", role: "alert", hidden: true });
  const complain = complainer(form, message);
  const files = importer((name, text) => ask({ type: "import", name, text }), complain);
  const box = dialog("Edit the world", form, message, files.root);
  const edit = {
    touch() {
      touched = true;
    },
    change(how) {
      touched = true;
      how();
      draw();
    },
  };

  function draw() {
    complain("");
    form.replaceChildren(...worldForm(draft, edit, start));
  }

  function start() {
    draft = readDraft(app.run, app.step);
    touched = false;
    draw();
  }

  return {
    root: box.root,
    open() {
      app.pause();
      if (!touched) start();
      box.show();
    },
    update(run, fresh) {
      if (fresh) {
        touched = false;
        files.clear();
        if (waiting) box.close();
      } else if (waiting && run.notice?.kind === "error") complain(run.notice.text, run.notice.where);
      if (fresh || run.notice) waiting = false;
    },
  };
}
