import assert from "node:assert/strict";
import { test } from "node:test";

import { number, numeric, percent, share, short, signed, tidy } from "../../app/assets/shared/format.js";

test("a number keeps its digits, its true minus, and says when there is none", () => {
  assert.equal(number(Math.LN2, 4), "0.6931");
  assert.equal(number(-0.25), "−0.250");
  assert.equal(number(12.3456, 1), "12.3");
  assert.equal(number(123.456), "123.5");
  assert.equal(number(0.0004), "4.0e−4");
  assert.equal(number(-250000), "−2.5e+5");
  assert.equal(number(1e-13), "0.000");
  for (const none of [null, undefined, NaN, Infinity]) assert.equal(number(none), "–");
});

test("a sign is written unless the number is written as 0", () => {
  assert.equal(signed(0.5), "+0.500");
  assert.equal(signed(-0.5), "−0.500");
  assert.equal(signed(0.0002), "2.0e−4");
  assert.equal(signed(0), "0.000");
});

test("a policy's probability is never 0 or 1, a share that people state can be", () => {
  assert.equal(percent(0), "< 0.1 %");
  assert.equal(percent(1), "> 99.9 %");
  assert.equal(percent(0.1234), "12.3 %");
  assert.equal(share(0), "0 %");
  assert.equal(share(1), "100 %");
  assert.equal(share(0.125), "12.5 %");
});

test("a long text ends in an ellipsis within its length", () => {
  assert.equal(short("short"), "short");
  const cut = short("one two three", 8);
  assert.equal(cut, "one two…");
  assert.ok(cut.length <= 8);
  assert.equal(short("1234567890", 10), "1234567890");
});

test("what is typed is read as a number, or left as it stands", () => {
  assert.equal(numeric(" 0,5 "), 0.5);
  assert.equal(numeric("-1e-3"), -0.001);
  for (const text of ["", "  ", "abc", "1.2.3", "Infinity"]) assert.equal(numeric(text), text);
  assert.equal(tidy(0.123456), 0.123);
  assert.equal(tidy(98765), 98800);
});
