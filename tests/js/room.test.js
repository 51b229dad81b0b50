// What a room's votes say about the label on screen, and what the phones are shown of a run.
import assert from "node:assert/strict";
import test from "node:test";
import { pictureOf } from "../../app/assets/room/follow.js";
import { agreementOf, newestByComparison, questionAbout } from "../../app/assets/room/votes.js";

const prompts = [
  { text: "First?", replies: ["a", "b", "c"], reference: [0.2, 0.3, 0.5] },
  { text: "Second?", replies: ["d", "e"], reference: [0.5, 0.5] },
];
const before = [
  [0, 2, 0, 1],
  [1, 0, 1, 1],
];
const flipped = [
  [0, 0, 2, 1],
  [1, 0, 1, 1],
];
/** @type {any} */
const run = {
  steps: 400,
  link: "preset=align",
  prompts,
  reference: prompts.flatMap((p) => p.reference),
  segmentAt: (step) => ({ comparisons: step < 10 ? before : flipped }),
  at: (name, step) => (name === "kl/policy_reference" ? step / 7 : Number(name.split("/")[1]) + step / 1000),
};
const asked = (answers, more = {}) => ({
  votes: 4,
  status: "closed",
  result: [
    { votes: 3, share: 0.75 },
    { votes: 1, share: 0.25 },
  ],
  ...questionAbout(run, 0, 0),
  ...(answers ? { answers } : {}),
  ...more,
});

test("a question shows the replies in the world's order, whichever was chosen", () => {
  for (const step of [0, 20]) {
    const { text, answers, about } = questionAbout(run, step, 0);
    assert.equal(text, "First?");
    assert.deepEqual(answers, ["a", "c"]);
    assert.deepEqual(about, { comparison: 0, prompt: 0, replies: [0, 2] });
  }
});

test("p is the share of the reply that the label calls chosen, and changes sides with a flip", () => {
  assert.equal(agreementOf(run, 0, asked()), 0.25); // c is chosen
  assert.equal(agreementOf(run, 20, asked()), 0.75); // a is chosen
});

test("no vote, another world or no comparison give no agreement", () => {
  assert.equal(agreementOf(run, 0, asked(null, { votes: 0 })), null);
  assert.equal(agreementOf(run, 0, asked(["a", "other"])), null);
  assert.equal(agreementOf(run, 0, asked(null, { about: {} })), null);
  assert.equal(
    agreementOf(run, 0, asked(null, { about: { comparison: 7, prompt: 0, replies: [0, 2] } })),
    null,
  );
  assert.equal(agreementOf(run, 0, asked(["a", " c "])), 0.25); // the room trims what is asked
});

test("of several rounds the newest counts, and an open one does not", () => {
  const rounds = [
    asked(null, { number: 1 }),
    asked(null, { number: 2 }),
    asked(null, { number: 3, status: "open" }),
  ];
  assert.deepEqual(
    newestByComparison([...rounds, asked(null, { number: 4, about: {} })]).map((q) => q.number),
    [2],
  );
});

test("the picture holds the first and the last step and every reply at them", () => {
  const picture = pictureOf(run);
  assert.equal(picture.steps.length, 101);
  assert.deepEqual([picture.steps[0], picture.steps[50], picture.steps[100]], [0, 200, 400]);
  assert.equal(picture.policy.length, 5);
  assert.deepEqual([picture.policy[3][0], picture.policy[3][100]], [3, 3.4]);
  assert.equal(picture.plot.values[100], 57.1429);
  const short = pictureOf({ ...run, steps: 1 });
  assert.deepEqual(short.steps, [0, 1]);
});
