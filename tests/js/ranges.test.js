// The y range of a plot: of what is revealed alone, and on round ends.
import assert from "node:assert/strict";
import test from "node:test";
import { eased, extent, rangeOf } from "../../app/assets/playground/ranges.js";

globalThis.window ??= /** @type {any} */ (globalThis);

test("what lies after the playhead, or is unknown, does not count", () => {
  assert.deepEqual(
    extent(
      [
        [0, 1, 9],
        [null, -1, -9],
        [NaN, 0.5, 3],
      ],
      0,
      1,
    ),
    [-1, 1],
  );
  assert.deepEqual(extent([[5, 1, 2]], 1, 2), [1, 2]);
  assert.deepEqual(extent([[null]], 0, 0), [0, 0]);
});

test("a range holds its numbers, its level and the value that it starts from", () => {
  for (const [low, high] of [
    [0, 0.37],
    [-3.2, 1.1],
    [0.64, 0.693],
  ]) {
    const [bottom, top] = rangeOf([low, high], undefined, undefined);
    assert.ok(bottom < low && top > high && top - bottom < 2.6 * Math.max(high - low, 0.02));
  }
  const [bottom, top] = rangeOf([0.1, 0.2], 0, 1.386);
  assert.ok(bottom === 0 && top > 1.386 && top < 1.5);
});

test("the way to a range ends at it and never passes it", () => {
  let now = [0, 1];
  for (let frame = 0; frame < 40; frame += 1) {
    const next = eased(now, [-2, 4]);
    assert.ok(next[0] <= now[0] && next[1] >= now[1] && next[0] >= -2 && next[1] <= 4);
    now = next;
  }
  assert.deepEqual(now, [-2, 4]);
});
