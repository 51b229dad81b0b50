import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Record } from "../../app/assets/gpt2/record.js";
import { know } from "../../app/assets/shared/facts.js";

const CONFIG = {
  objective: { beta: 0.1, sigma_weight: true },
  optimizer: { learning_rate: 0.2 },
  steps: 10,
};
const STARTED = {
  type: "started",
  steps: 8,
  device: "cpu",
  dtype: "float32",
  pairs: [{ prompt: "p", chosen: "good", rejected: "bad", agreement: 1 }],
};
const figures = { index: [0], margin: [0.5], sigma_weight: [0.25] };
const snapshot = (step, loss) => ({
  type: "snapshot",
  step,
  metrics: { loss, beta: 0.1, learning_rate: 0.2 },
  pairs: figures,
});

let record;
beforeEach(() => {
  know(/** @type {any} */ ({ gpt2: { ended: ["finished", "stopped", "failed", "cancelled"] } }));
  record = new Record({ id: "r", config: CONFIG });
});

test("snapshots fill the columns by step, and the pairs with their figures", () => {
  record.add([STARTED, snapshot(0, 0.7), snapshot(1, 0.6)]);
  assert.deepEqual(record.columns.loss, [0.7, 0.6]);
  assert.equal(record.count, 3);
  assert.equal(record.steps, 8);
  assert.equal(record.step, 1);
  assert.equal(record.pairs[0].margin, 0.5);
  assert.equal(record.pairs[0].weight, 0.25);
});

test("a flip exchanges the replies, and a second one puts them back", () => {
  const flip = {
    type: "intervened",
    step: 1,
    intervention: { step: 1, flip: 0 },
    pairs: { index: [], margin: [] },
  };
  record.add([STARTED, flip]);
  assert.equal(record.pairs[0].chosen, "bad");
  assert.ok(record.pairs[0].flipped);
  assert.deepEqual(record.marks, [1]);
  assert.equal(record.log.at(-1).text, "pair 1 flipped");
  record.add([flip]);
  assert.equal(record.pairs[0].chosen, "good");
  assert.ok(!record.pairs[0].flipped);
});

test("a change of beta is in force, and leaves the configuration as it was", () => {
  record.add([
    STARTED,
    {
      type: "intervened",
      step: 2,
      intervention: { step: 2, beta: 0.5 },
      pairs: { index: [], margin: [] },
    },
  ]);
  assert.deepEqual(record.rules, { beta: 0.5, learning_rate: 0.2, sigma_weight: true });
  assert.equal(record.config.objective.beta, 0.1);
});

test("changes made before the start are due at their own steps", () => {
  const waits = [
    { step: 0, flip: 0 },
    { step: 3, beta: 2 },
  ];
  record.add([{ type: "assigned", warm: true, interventions: waits }, STARTED, snapshot(0, 0.7)]);
  assert.deepEqual(record.marks, [0]);
  record.add([snapshot(3, 0.5)]);
  assert.deepEqual(record.marks, [0, 3]);
  assert.equal(record.rules.beta, 2);
});

test("a run that has ended is not resumed by a late message", () => {
  record.add([STARTED, { type: "finished", step: 8 }]);
  assert.ok(record.ended);
  record.add([{ type: "paused", step: 8 }]);
  assert.equal(record.state, "finished");
});

test("an error that ends a run is a failure, another one a complaint", () => {
  record.add([STARTED, { type: "error", text: "no such pair", ended: false }]);
  assert.ok(!record.ended);
  assert.equal(record.complaint, "no such pair");
  record.add([{ type: "error", text: "out of memory", ended: true }]);
  assert.equal(record.state, "failed");
  assert.equal(record.failure, "out of memory");
});
