import assert from "node:assert/strict";
import { test } from "node:test";

import { roomy } from "../../app/assets/shared/line_plot.js";
import { SCALES } from "../../app/assets/shared/settings.js";
import { isDark } from "../../app/assets/shared/theme.js";

test("a slider's position and its value go back and forth", () => {
  for (const scale of [SCALES.log, SCALES.linear])
    for (const value of [1e-6, 0.01, 0.5, 1, 12.5, 100]) {
      const back = scale.value(scale.position(value));
      assert.ok(Math.abs(back - value) < 1e-12 * Math.max(1, value), `${value} came back as ${back}`);
    }
  assert.equal(SCALES.log.position(0.01), -2);
  assert.equal(SCALES.log.value(0.5), 3.16); // √10 to three digits
  assert.equal(SCALES.linear.value(0.5), 0.5);
  assert.equal(SCALES.linear.step(0, 1), 0.005);
});

test("a plot's range has room, and one from 0 keeps it at the edge", () => {
  assert.deepEqual(roomy(0, 1, 0), [0, 1.06]);
  assert.deepEqual(roomy(0, 1), [-0.06, 1.06]);
  assert.deepEqual(roomy(2, 2), [1.44, 2.56]);
  assert.deepEqual(roomy(0, 0, 0), [0, 0.53]);
});

test("a dark background is told from a light one", () => {
  assert.ok(isDark("#0e1117"));
  assert.ok(!isDark("#ffffff"));
  assert.ok(!isDark("#ffff00")); // yellow is bright
  assert.ok(isDark("#0000ff")); // blue is not
  assert.ok(!isDark(""));
});
