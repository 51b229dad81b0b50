// What the frontier page says of its runs, what it saves of them, and how a method looks.
import assert from "node:assert/strict";
import test from "node:test";

import { pointsCsv, tableCsv } from "../../app/assets/frontier/numbers.js";
import { Sweeps } from "../../app/assets/frontier/sweeps.js";
import { described, gap, named, standing, verdict } from "../../app/assets/frontier/words.js";
import { know } from "../../app/assets/shared/facts.js";
import { lookOf } from "../../app/assets/shared/method_looks.js";

const beta = { key: "beta", label: "β" };
const NAMES = ["dpo", "ipo", ...Array.from({ length: 24 }, (_, i) => `method ${i}`)];
const methods = Object.fromEntries(
  NAMES.map((name) => [name, { title: name.toUpperCase(), settings: [beta] }]),
);
know(/** @type {any} */ ({ methods }));

const PAGE = {
  kept: [0, 1, 4],
  start: { kl: 0, reward: 0.5 },
  line: [{ beta: 5, kl: 0.1, reward: 0.6 }],
  marked: [0],
  best: [{ n: 2, kl: 0.2, reward: 0.7, below: 0.01, win_rate: 0.6 }],
  curve: [{ n: 1, kl: 0, reward: 0.5, below: 0, win_rate: 0.5 }],
};
const run = (method, value, reward, more = {}) => ({
  method,
  settings: { beta: value, sigma_weight: true },
  steps: [0, 1, 4].slice(0, reward.length),
  kl: reward.map((_, i) => i / 2),
  reward,
  below: reward.map((_, i) => i / 10),
  overflows: false,
  total: 4,
  ...more,
});
const RUNS = [run("dpo", 0.1, [0.5, 0.6, 0.4]), run("ipo", 5, [0.5, 0.7, 0.8])];

test("one sentence says which run has most, how far below the line, and how many do worse than nothing", () => {
  assert.equal(
    verdict(PAGE, RUNS, 2),
    "At step 4 the most reward has IPO, β = 5: 0.800 for 1.000 nats, 0.2000 below the exact frontier; " +
      "1 of 2 runs earns less than the reference.",
  );
  assert.match(
    verdict(PAGE, RUNS, 0),
    /^At step 0 all 2 runs are the reference: KL 0 nats, reward 0\.500\.$/,
  );
  assert.match(verdict(PAGE, [], 2), /^The line is exact/);
  assert.doesNotMatch(verdict(PAGE, [run("dpo", 1, [0.5, 0.5, 0.5])], 2), /less than the reference/);
});

test("a run that overflowed is not the best one afterwards", () => {
  const lost = run("ipo", 5, [0.5, 0.9], { overflows: true });
  assert.match(verdict(PAGE, [RUNS[0], lost], 1), /IPO, β = 5: 0\.900/);
  assert.match(verdict(PAGE, [RUNS[0], lost], 2), /has DPO, β = 0\.1: .*; 1 run has overflowed before\.$/);
  assert.equal(verdict(PAGE, [lost], 2), "At step 4 no run is left; 1 run has overflowed before.");
  assert.equal(standing(lost, 2).step, 1);
  assert.match(described({ run: lost, index: 1 })[1], /^step 1 of 4, then its numbers overflow$/);
});

test("points are named by what they are", () => {
  assert.equal(named(RUNS[0]), "DPO, β = 0.1");
  assert.deepEqual(described({ run: RUNS[1], index: 1 }).slice(1), [
    "step 1 of 4",
    "KL 0.500 nats, reward 0.700, 0.1000 below the exact frontier",
  ]);
  assert.equal(described({ best: PAGE.best[0] })[0], "Best of 2");
  assert.match(described({ best: PAGE.best[0] })[2], /60\.0 %/);
  assert.equal(described({ exact: PAGE.line[0] })[0], "π* at β = 5");
  assert.equal(gap(1e-6), "on the exact frontier");
});

test("CSV holds every number as it came", () => {
  const odd = [run("dpo", 0.1, [0.5, 0.1 + 0.2])];
  const rows = pointsCsv(PAGE, odd).trimEnd().split("\n");
  assert.equal(rows[0], "kind,method,settings,step,kl,reward,below,win_rate");
  assert.equal(rows.length, 1 + 1 + 1 + 2);
  assert.equal(rows.at(-1), "run,dpo,beta=0.1;sigma_weight=true,1,0.5,0.30000000000000004,0.1,");
  const table = tableCsv(PAGE, RUNS, 1).trimEnd().split("\n");
  assert.deepEqual(table.slice(1, 3), ["exact,,beta=5,,0.1,0.6,0,", "best_of,,n=2,,0.2,0.7,0.01,0.6"]);
  assert.deepEqual(
    table.slice(3).map((row) => row.split(",").slice(1, 6)),
    [
      ["dpo", "beta=0.1;sigma_weight=true", "1", "0.5", "0.6"],
      ["ipo", "beta=5;sigma_weight=true", "1", "0.5", "0.7"],
    ],
  );
});

test("no two methods look alike", () => {
  for (const dark of [false, true])
    assert.equal(new Set(NAMES.map((name) => JSON.stringify(lookOf(name, dark)))).size, NAMES.length);
});

const asked = (lines) => {
  const calls = [];
  const body = () => new Blob([lines.map((line) => JSON.stringify(line) + "\n").join("")]).stream();
  globalThis.document = /** @type {any} */ ({ baseURI: "http://here/" });
  globalThis.fetch = /** @type {any} */ (
    async (url) => {
      calls.push(url.search);
      return { ok: true, body: body() };
    }
  );
  return calls;
};
const WANTED = { opened: 0, steps: 4, betas: [1], refused: null, link: "preset=x", on: ["dpo", "ipo"] };
const settled = (sweeps) =>
  new Promise((done) => {
    const look = () => (sweeps.running ? setTimeout(look, 1) : done(null));
    look();
  });

test("only what is missing is swept, and another world begins anew", async () => {
  const calls = asked([
    { method: "dpo", runs: [{}] },
    { method: "ipo", runs: [{}] },
  ]);
  const sweeps = new Sweeps(() => {});
  sweeps.want(WANTED);
  await settled(sweeps);
  assert.deepEqual([...sweeps.trails.keys()], ["dpo", "ipo"]);
  sweeps.want({ ...WANTED, on: ["dpo"] });
  assert.deepEqual(calls, ["?methods=dpo,ipo"]);
  sweeps.want({ ...WANTED, steps: 5 });
  assert.equal(sweeps.trails.size, 0);
  await settled(sweeps);
  assert.equal(calls.length, 2);
  sweeps.want({ ...WANTED, steps: 6, refused: "too large" });
  await settled(sweeps);
  assert.deepEqual([sweeps.trails.size, calls.length], [0, 2]);
});

test("a sweep that ends early or is cancelled waits for the visitor", async () => {
  asked([{ method: "dpo", runs: [{}] }]);
  const sweeps = new Sweeps(() => {});
  sweeps.want(WANTED);
  await settled(sweeps);
  assert.equal(sweeps.failure, "The server ended the sweep early.");
  assert.deepEqual([sweeps.stopped, sweeps.missing], [true, ["ipo"]]);
  const calls = asked([]);
  sweeps.want(WANTED);
  await settled(sweeps);
  assert.deepEqual(calls, []);
  asked([{ error: "out of memory" }]);
  await sweeps.start();
  assert.equal(sweeps.failure, "out of memory");
  asked([{ method: "ipo", runs: [{}] }]);
  await sweeps.start();
  assert.deepEqual([sweeps.failure, sweeps.missing], ["", []]);
});
