// The world as the editor's fields hold it: read from a run, and written as a scenario file has it.
import { numeric } from "../shared/format.js";
import { labelTexts, labelsOf } from "./label_texts.js";

const vector = (text) =>
  text
    .split(/[\s;]+/)
    .filter(Boolean)
    .map(numeric);

/** A reply's fields, empty. */
export const blankReply = (reference = "") => ({ text: "", reference, reward: "", features: "", length: "" });

/** All fields, with the labels as they stand at ``step``. */
export function readDraft(run, step) {
  const now = run.segmentAt(step);
  return {
    prompts: run.prompts.map((prompt, p) => ({
      text: prompt.text,
      replies: prompt.replies.map((text, k) => ({
        text,
        reference: String(prompt.reference[k]),
        reward: prompt.reward ? String(prompt.reward[k]) : "",
        features: prompt.features ? prompt.features[k].join(" ") : "",
        length: prompt.lengths ? String(prompt.lengths[k]) : "",
      })),
      ...labelTexts(now, p),
    })),
    pairs: now.comparisons.map(([prompt, chosen, rejected, agreement]) => ({
      prompt,
      chosen,
      rejected,
      agreement: String(agreement),
    })),
  };
}

/** Prompts and labels; an optional column is left out where all of its fields are empty. */
export function worldOf(draft) {
  const optional = (rows, key, parse, name = key) =>
    rows.some((r) => r[key].trim()) ? { [name]: rows.map((r) => parse(r[key])) } : {};
  return {
    prompts: draft.prompts.map((p) => ({
      text: p.text,
      replies: p.replies.map((r) => r.text),
      reference: p.replies.map((r) => numeric(r.reference)),
      ...optional(p.replies, "reward", numeric),
      ...optional(p.replies, "features", vector),
      ...optional(p.replies, "length", numeric, "lengths"),
    })),
    ...labelsOf(draft.prompts),
    comparisons: draft.pairs.map((x) => ({ ...x, agreement: numeric(x.agreement) })),
  };
}
