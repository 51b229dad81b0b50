import assert from "node:assert/strict";
import { test } from "node:test";

import { filled } from "../../app/assets/playground/gradient.js";

test("a rule's names are filled in and its results are bold", () => {
  const values = { beta: "0.50", c_l: "0.2500" };
  assert.deepEqual(
    filled("c = {beta} × 2 = **{c_l}**, done", (name) => values[name]),
    [
      [false, "c = 0.50 × 2 = "],
      [true, "0.2500"],
      [false, ", done"],
    ],
  );
});
