import assert from "node:assert/strict";
import { test } from "node:test";

import { labelTexts, labelsOf } from "../../app/assets/playground/label_texts.js";

test("rankings and thumbs are read and written back alike", () => {
  const prompts = [
    { rankings: "3 1 2; 2 4", thumbs: "1+ 3-" },
    { rankings: "", thumbs: "2−" },
  ];
  const labels = labelsOf(prompts);
  assert.deepEqual(labels.rankings, [
    { prompt: 0, order: [2, 0, 1] },
    { prompt: 0, order: [1, 3] },
  ]);
  assert.deepEqual(labels.thumbs, [
    { prompt: 0, reply: 0, up: true },
    { prompt: 0, reply: 2, up: false },
    { prompt: 1, reply: 1, up: false },
  ]);
  const segment = {
    rankings: labels.rankings.map((r) => [r.prompt, r.order]),
    thumbs: labels.thumbs.map((t) => [t.prompt, t.reply, t.up]),
  };
  assert.deepEqual(labelTexts(segment, 0), prompts[0]);
  assert.deepEqual(labelTexts(segment, 1), { rankings: "", thumbs: "2-" });
});

test("what is no number stays as it was typed, for the server to refuse", () => {
  assert.deepEqual(labelsOf([{ rankings: "a 1" }]).rankings, [{ prompt: 0, order: ["a", 0] }]);
});
