// The fields of a draft world: prompts with their replies, labels and pairs. The editor (editor.js) draws and sends them.
import { h } from "../shared/dom.js";
import { short } from "../shared/format.js";
import { blankReply } from "./draft.js";

// The fields of a reply: their place in a scenario file, key in the draft, name and attributes.
const COLUMNS = [
  { place: "replies", key: "text", name: (p, k) => `Prompt ${p}, reply ${k}`, extra: { class: "grow" } },
  {
    place: "reference",
    key: "reference",
    name: (_, k) => `Reference probability of reply ${k}`,
    extra: { inputmode: "decimal" },
  },
  {
    place: "reward",
    key: "reward",
    name: (_, k) => `True reward of reply ${k} (optional)`,
    extra: { inputmode: "decimal", placeholder: "reward" },
  },
  {
    place: "features",
    key: "features",
    name: (_, k) => `Features of reply ${k}, numbers with spaces between (optional)`,
    extra: { placeholder: "features" },
  },
  {
    place: "lengths",
    key: "length",
    name: (_, k) => `Length of reply ${k} in tokens (optional)`,
    extra: { inputmode: "numeric", placeholder: "tokens" },
  },
];

export const small = (text, label, action) =>
  h("button", { type: "button", class: "small", "aria-label": label, title: label, onclick: action }, text);

// A text field bound to ``owner[key]``; ``touch`` notes that a person wrote in it.
function field(touch, where, owner, key, label, extra = {}) {
  return h("input", {
    type: "text",
    value: owner[key] ?? "",
    "aria-label": label,
    "data-where": where,
    title: label,
    dir: "auto",
    oninput: (event) => {
      touch();
      owner[key] = event.target.value;
    },
    ...extra,
  });
}

// The pairs that are left without reply ``k`` of prompt ``p``, with the later replies moved up.
const withoutReply = (pairs, p, k) =>
  pairs
    .filter((x) => x.prompt !== p || (x.chosen !== k && x.rejected !== k))
    .map((x) =>
      x.prompt !== p
        ? x
        : { ...x, chosen: x.chosen - Number(x.chosen > k), rejected: x.rejected - Number(x.rejected > k) },
    );

const withoutPrompt = (pairs, p) =>
  pairs.filter((x) => x.prompt !== p).map((x) => ({ ...x, prompt: x.prompt - Number(x.prompt > p) }));

function replyRow(draft, edit, p, k) {
  const prompt = draft.prompts[p];
  const fields = COLUMNS.map(({ place, key, name, extra }) =>
    field(edit.touch, `prompts[${p}].${place}[${k}]`, prompt.replies[k], key, name(p + 1, k + 1), extra),
  );
  const remove = small("✕", `Remove reply ${k + 1} of prompt ${p + 1}`, () =>
    edit.change(() => {
      prompt.replies.splice(k, 1);
      draft.pairs = withoutReply(draft.pairs, p, k);
    }),
  );
  return h("div", { class: "row" }, fields, remove);
}

function labelFields(prompt, p, edit) {
  const rankings = `Rankings of prompt ${p + 1}: reply numbers, best first; several with a semicolon between`;
  const thumbs = `Thumbs of prompt ${p + 1}: a reply's number with + for liked, - for not liked`;
  const labelled = (key, label, placeholder) =>
    h(
      "label",
      { class: "grow labels" },
      `${key} `,
      field(edit.touch, key, prompt, key, label, { placeholder }),
    );
  return h(
    "div",
    { class: "row" },
    labelled("rankings", rankings, "3 1 2; 2 4"),
    labelled("thumbs", thumbs, "1+ 3-"),
  );
}

const head = () =>
  h(
    "div",
    { class: "row head" },
    h("span", { class: "grow" }, "reply"),
    ["reference", "true reward", "features", "tokens"].map((name) => h("span", {}, name)),
    h("span", { class: "gap" }),
  );

function replyButtons(prompt, p, edit) {
  const add = () => prompt.replies.push(blankReply());
  const even = () =>
    prompt.replies.forEach((r) => {
      r.reference = String(1 / prompt.replies.length);
    });
  const evenly = `Give every reply of prompt ${p + 1} the same reference probability`;
  return h(
    "div",
    { class: "row", "data-where": `prompts[${p}].reference`, tabindex: "-1" },
    small("+ reply", `Add a reply to prompt ${p + 1}`, () => edit.change(add)),
    small("even reference", evenly, () => edit.change(even)),
  );
}

export function promptForm(draft, edit, p) {
  const prompt = draft.prompts[p];
  const text = field(edit.touch, `prompts[${p}].text`, prompt, "text", `Text of prompt ${p + 1}`, {
    class: "grow",
  });
  const remove = () => {
    draft.prompts.splice(p, 1);
    draft.pairs = withoutPrompt(draft.pairs, p);
  };
  return h(
    "fieldset",
    { "data-where": `prompts[${p}]`, tabindex: "-1" },
    h("legend", {}, `Prompt ${p + 1}`),
    h(
      "div",
      { class: "row" },
      text,
      small("✕", `Remove prompt ${p + 1}`, () => edit.change(remove)),
    ),
    head(),
    prompt.replies.map((_, k) => replyRow(draft, edit, p, k)),
    labelFields(prompt, p, edit),
    replyButtons(prompt, p, edit),
  );
}

function select(where, label, options, at, chosen) {
  const option = (text, k) => h("option", { value: k, selected: k === at }, `${k + 1} ${short(text, 24)}`);
  const onchange = (event) => chosen(Number(event.target.value));
  return h("select", { "aria-label": label, "data-where": where, onchange }, options.map(option));
}

export function pairForm(draft, edit, i) {
  const pair = draft.pairs[i];
  const replies = draft.prompts[pair.prompt].replies.map((r) => r.text);
  const where = (name) => `comparisons[${i}].${name}`;
  const prompts = draft.prompts.map((p) => p.text);
  const prompt = select(where("prompt"), `Prompt of pair ${i + 1}`, prompts, pair.prompt, (v) =>
    edit.change(() => Object.assign(pair, { prompt: v, chosen: 0, rejected: 1 })),
  );
  const side = (name, label) =>
    select(where(name), `${label} reply of pair ${i + 1}`, replies, pair[name], (v) => {
      edit.touch();
      pair[name] = v;
    });
  const agreement = `Agreement on pair ${i + 1}, from 0 to 1`;
  return h(
    "div",
    { class: "row pair", "data-where": `comparisons[${i}]`, tabindex: "-1" },
    h("b", {}, `${i + 1}`),
    prompt,
    side("chosen", "Chosen"),
    h("span", {}, "beats"),
    side("rejected", "Rejected"),
    field(edit.touch, where("agreement"), pair, "agreement", agreement, { inputmode: "decimal" }),
    small("✕", `Remove pair ${i + 1}`, () => edit.change(() => draft.pairs.splice(i, 1))),
  );
}
