import assert from "node:assert/strict";
import { test } from "node:test";

import { decode } from "../../app/assets/playground/decode.js";

// As app/playground/payload.py writes it: length, header padded to four bytes, float32 rows, the other runs' rows.
function encode(header, rows) {
  let text = JSON.stringify(header);
  text += " ".repeat((4 - (new TextEncoder().encode(text).length % 4)) % 4);
  const head = new TextEncoder().encode(text);
  const bytes = new Uint8Array(4 + head.length + 4 * rows.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.length, true);
  bytes.set(head, 4);
  rows.forEach((x, i) => view.setFloat32(4 + head.length + 4 * i, x, true));
  return bytes;
}

const HEADER = {
  steps: 2,
  columns: ["policy/0", "loss"],
  segments: [{ start: 0 }, { start: 2 }],
  prompts: [
    { text: "π?", replies: ["a", "b"], reference: [0.25, 0.75] },
    { text: "q", replies: ["c", "d", "e"], reference: [0.5, 0.3, 0.2] },
  ],
  others: [
    { name: "other", columns: ["loss"], steps: 1 },
    { name: "third", columns: ["kl", "loss"], steps: 0 },
  ],
};
const ROWS = [0.25, 0.5, 0.75, 1, 2, 3, 8, 9, 4, 5];

test("each column has its own rows, and the compared runs their own after them", () => {
  const run = decode(encode(HEADER, ROWS));
  assert.deepEqual([...run.rows.get("policy/0")], [0.25, 0.5, 0.75]);
  assert.equal(run.at("loss", 2), 3);
  assert.equal(run.at("unknown", 0), undefined);
  assert.deepEqual([...run.others[0].rows.get("loss")], [8, 9]);
  assert.deepEqual([...run.others[1].rows.get("kl")], [4]);
  assert.deepEqual([...run.others[1].rows.get("loss")], [5]);
});

test("replies are counted over all prompts", () => {
  const run = decode(encode(HEADER, ROWS));
  assert.deepEqual(run.starts, [0, 2]);
  assert.deepEqual(run.reference, [0.25, 0.75, 0.5, 0.3, 0.2]);
});

test("a change is in force from its own step on", () => {
  const run = decode(encode(HEADER, ROWS));
  assert.equal(run.segmentAt(1).start, 0);
  assert.equal(run.segmentAt(2).start, 2);
});

test("bytes that begin anywhere in a buffer are read", () => {
  const bytes = encode({ ...HEADER, others: [] }, ROWS.slice(0, 6));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assert.equal(decode(shifted.subarray(3)).at("policy/0", 1), 0.5);
});
