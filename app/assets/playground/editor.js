// The world as a form: prompts, replies, reference, rewards, pairs. The server checks it; what was typed stays.
import { blankReply, readDraft, worldOf } from "./draft.js";
import { dialog } from "../shared/dialog.js";
import { h } from "../shared/dom.js";
import { short } from "../shared/format.js";

export function editor(app) {
  const form = h("form", {
    class: "world",
    onsubmit: (event) => {
      event.preventDefault();
      submit();
    },
  });
  const message = h("p", { class: "problem", role: "alert", hidden: true });
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
  let draft = null;
  let touched = false; // a draft that nobody changed follows the run
  let waiting = false;

  const box = dialog(
    "Edit the world",
    form,
    message,
    h(
      "details",
      { class: "import" },
      h("summary", {}, "Import a scenario (JSON) or preference pairs (JSONL)"),
      h("p", {}, file),
      paste,
      h(
        "p",
        {},
        h(
          "button",
          { type: "button", onclick: () => load("pasted text", paste.value) },
          "Run the pasted text",
        ),
      ),
    ),
  );

  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    if (chosen.size > 1_000_000) {
      complain(`${chosen.name} is larger than 1 MB. Use a smaller file.`);
      return;
    }
    paste.value = await chosen.text();
    file.value = "";
    load(chosen.name, paste.value);
  });

  function load(name, text) {
    waiting = true;
    app.send({ type: "import", name, text });
  }
  function complain(text, where = "") {
    message.textContent = text;
    message.hidden = !text;
    form.querySelectorAll("[aria-invalid]").forEach((field) => field.removeAttribute("aria-invalid"));
    form.querySelectorAll(".beside").forEach((note) => note.remove());
    const paths = [where, where.replace(/\[\d+\]$/, ""), where.replace(/\.[a-z]+(\[\d+\])?$/, "")];
    const field = paths
      .map(
        (path) =>
          path && /** @type {HTMLElement} */ (form.querySelector(`[data-where="${CSS.escape(path)}"]`)),
      )
      .find(Boolean);
    if (!field) return;
    message.hidden = true;
    field.setAttribute("aria-invalid", "true");
    field.after(h("span", { class: "beside", role: "alert" }, text));
    field.scrollIntoView({ block: "nearest" });
    field.focus();
  }

  const field = (where, value, label, set, extra = {}) =>
    h("input", {
      type: "text",
      value,
      "aria-label": label,
      "data-where": where,
      title: label,
      dir: "auto",
      oninput: (event) => {
        touched = true;
        set(event.target.value);
      },
      ...extra,
    });
  const small = (text, label, action) =>
    h("button", { type: "button", class: "small", "aria-label": label, title: label, onclick: action }, text);

  function promptForm(prompt, p) {
    const rows = prompt.replies.map((reply, k) =>
      h(
        "div",
        { class: "row" },
        field(
          `prompts[${p}].replies[${k}]`,
          reply.text,
          `Prompt ${p + 1}, reply ${k + 1}`,
          (v) => {
            reply.text = v;
          },
          { class: "grow" },
        ),
        field(
          `prompts[${p}].reference[${k}]`,
          reply.reference,
          `Reference probability of reply ${k + 1}`,
          (v) => {
            reply.reference = v;
          },
          { inputmode: "decimal" },
        ),
        field(
          `prompts[${p}].reward[${k}]`,
          reply.reward,
          `True reward of reply ${k + 1} (optional)`,
          (v) => {
            reply.reward = v;
          },
          { inputmode: "decimal", placeholder: "reward" },
        ),
        field(
          `prompts[${p}].features[${k}]`,
          reply.features,
          `Features of reply ${k + 1}, numbers with spaces between (optional)`,
          (v) => {
            reply.features = v;
          },
          { placeholder: "features" },
        ),
        field(
          `prompts[${p}].lengths[${k}]`,
          reply.length,
          `Length of reply ${k + 1} in tokens (optional)`,
          (v) => {
            reply.length = v;
          },
          { inputmode: "numeric", placeholder: "tokens" },
        ),
        small("✕", `Remove reply ${k + 1} of prompt ${p + 1}`, () =>
          change(() => {
            prompt.replies.splice(k, 1);
            draft.pairs = draft.pairs
              .filter((x) => x.prompt !== p || (x.chosen !== k && x.rejected !== k))
              .map((x) =>
                x.prompt !== p
                  ? x
                  : {
                      ...x,
                      chosen: x.chosen - Number(x.chosen > k),
                      rejected: x.rejected - Number(x.rejected > k),
                    },
              );
          }),
        ),
      ),
    );
    return h(
      "fieldset",
      { "data-where": `prompts[${p}]`, tabindex: "-1" },
      h("legend", {}, `Prompt ${p + 1}`),
      h(
        "div",
        { class: "row" },
        field(
          `prompts[${p}].text`,
          prompt.text,
          `Text of prompt ${p + 1}`,
          (v) => {
            prompt.text = v;
          },
          { class: "grow" },
        ),
        small("✕", `Remove prompt ${p + 1}`, () =>
          change(() => {
            draft.prompts.splice(p, 1);
            draft.pairs = draft.pairs
              .filter((x) => x.prompt !== p)
              .map((x) => ({ ...x, prompt: x.prompt - Number(x.prompt > p) }));
          }),
        ),
      ),
      h(
        "div",
        { class: "row head" },
        h("span", { class: "grow" }, "reply"),
        h("span", {}, "reference"),
        h("span", {}, "true reward"),
        h("span", {}, "features"),
        h("span", {}, "tokens"),
        h("span", { class: "gap" }),
      ),
      rows,
      labelFields(prompt, p),
      h(
        "div",
        { class: "row", "data-where": `prompts[${p}].reference`, tabindex: "-1" },
        small("+ reply", `Add a reply to prompt ${p + 1}`, () =>
          change(() => prompt.replies.push(blankReply())),
        ),
        small("even reference", `Give every reply of prompt ${p + 1} the same reference probability`, () =>
          change(() =>
            prompt.replies.forEach((r) => {
              r.reference = String(1 / prompt.replies.length);
            }),
          ),
        ),
      ),
    );
  }

  function labelFields(prompt, p) {
    const set = (key) => (v) => {
      prompt[key] = v;
    };
    const rankings = `Rankings of prompt ${p + 1}: reply numbers, best first; several with a semicolon between`;
    const thumbs = `Thumbs of prompt ${p + 1}: a reply's number with + for liked, - for not liked`;
    return h(
      "div",
      { class: "row" },
      h(
        "label",
        { class: "grow labels" },
        "rankings ",
        field("rankings", prompt.rankings ?? "", rankings, set("rankings"), { placeholder: "3 1 2; 2 4" }),
      ),
      h(
        "label",
        { class: "grow labels" },
        "thumbs ",
        field("thumbs", prompt.thumbs ?? "", thumbs, set("thumbs"), { placeholder: "1+ 3-" }),
      ),
    );
  }

  function pairForm(pair, i) {
    const select = (name, label, options, at, set) =>
      h(
        "select",
        {
          "aria-label": label,
          "data-where": `comparisons[${i}].${name}`,
          onchange: (event) => {
            touched = true;
            set(Number(event.target.value));
          },
        },
        options.map((text, k) =>
          h("option", { value: k, selected: k === at }, `${k + 1} ${short(text, 24)}`),
        ),
      );
    const replies = draft.prompts[pair.prompt].replies.map((r) => r.text);
    return h(
      "div",
      { class: "row pair", "data-where": `comparisons[${i}]`, tabindex: "-1" },
      h("b", {}, `${i + 1}`),
      select(
        "prompt",
        `Prompt of pair ${i + 1}`,
        draft.prompts.map((p) => p.text),
        pair.prompt,
        (v) => change(() => Object.assign(pair, { prompt: v, chosen: 0, rejected: 1 })),
      ),
      select("chosen", `Chosen reply of pair ${i + 1}`, replies, pair.chosen, (v) => {
        pair.chosen = v;
      }),
      h("span", {}, "beats"),
      select("rejected", `Rejected reply of pair ${i + 1}`, replies, pair.rejected, (v) => {
        pair.rejected = v;
      }),
      field(
        `comparisons[${i}].agreement`,
        pair.agreement,
        `Agreement on pair ${i + 1}, from 0 to 1`,
        (v) => {
          pair.agreement = v;
        },
        { inputmode: "decimal" },
      ),
      small("✕", `Remove pair ${i + 1}`, () => change(() => draft.pairs.splice(i, 1))),
    );
  }

  function change(edit) {
    touched = true;
    edit();
    draw();
  }

  function draw() {
    complain("");
    form.replaceChildren(
      ...draft.prompts.map(promptForm),
      small("+ prompt", "Add a prompt", () =>
        change(() =>
          draft.prompts.push({
            text: "",
            replies: [0, 1].map(() => blankReply("0.5")),
          }),
        ),
      ),
      h(
        "fieldset",
        { "data-where": "comparisons", tabindex: "-1" },
        h("legend", {}, "Pairs: who beats whom, and the share of raters who agree"),
        draft.pairs.map(pairForm),
        draft.prompts.length
          ? small("+ pair", "Add a pair", () =>
              change(() => draft.pairs.push({ prompt: 0, chosen: 0, rejected: 1, agreement: "1" })),
            )
          : null,
      ),
      h(
        "p",
        { class: "submit" },
        h("button", { type: "submit", class: "primary" }, "Run this world"),
        " ",
        h("button", { type: "button", onclick: start }, "Put back what is running"),
      ),
    );
  }

  function start() {
    draft = readDraft(app.run, app.step);
    touched = false;
    draw();
  }

  function submit() {
    waiting = true;
    app.send({ type: "edit", world: worldOf(draft) });
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
        paste.value = "";
        if (waiting) box.close();
      } else if (waiting && run.notice?.kind === "error") complain(run.notice.text, run.notice.where);
      if (fresh || run.notice) waiting = false;
    },
  };
}
