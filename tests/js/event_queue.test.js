import assert from "node:assert/strict";
import { test } from "node:test";

import { EventQueue } from "../../app/assets/shared/event_queue.js";

function connected() {
  const queue = new EventQueue();
  const sent = [];
  const setState = (name, value) => sent.push([name, structuredClone(value)]);
  queue.receive({}, setState);
  return { queue, sent, setState };
}

test("all that is not acknowledged goes again with each event, in order", () => {
  const { queue, sent } = connected();
  queue.send({ type: "first" });
  queue.send({ type: "second" });
  assert.deepEqual(sent.at(-1), [
    "queue",
    {
      client: queue.client,
      events: [
        [0, { type: "first" }],
        [1, { type: "second" }],
      ],
    },
  ]);
});

test("an acknowledged event goes no more, a later one does", () => {
  const { queue, sent, setState } = connected();
  for (const type of ["a", "b", "c"]) queue.send({ type });
  queue.receive({ [queue.client]: 1 }, setState);
  assert.ok(queue.waiting);
  queue.flush();
  assert.deepEqual(sent.at(-1)[1].events, [[2, { type: "c" }]]);
  queue.receive({ [queue.client]: 2 }, setState);
  assert.ok(!queue.waiting);
  const before = sent.length;
  queue.flush();
  assert.equal(sent.length, before);
});

test("another tab's acknowledgement is not this one's", () => {
  const { queue, setState } = connected();
  queue.send({ type: "mine" });
  queue.receive({ another: 7 }, setState);
  assert.ok(queue.waiting);
  assert.notEqual(new EventQueue().client, queue.client);
});
