// The y range of a plot: of what is revealed alone, on round ends, so that a covered future cannot be read off it.
import { roomy } from "../shared/line_plot.js";

const TICKS = 4; // about so many round steps make a range
const LEAST = 0.02; // a narrower range would show rounding as movement

/** A round number near ``x``: 1, 2 or 5 times a power of ten. @param {number} x */
function round(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  return power * [1, 2, 5, 10].find((m) => m * power >= x * (1 - 1e-9));
}

/**
 * The lowest and highest of some rows between two steps.
 * @param {ArrayLike<number | null>[]} rows
 * @returns {[number, number]}
 */
export function extent(rows, from, to) {
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows)
    for (let t = from; t <= Math.min(to, row.length - 1); t += 1) {
      const y = row[t];
      if (y == null || Number.isNaN(y)) continue;
      if (y < low) low = y;
      if (y > high) high = y;
    }
  return low > high ? [0, 0] : [low, high];
}

/**
 * A range on round ends that holds ``low`` and ``high``, and the value ``from`` and a level where there are such.
 * @param {[number, number]} extent
 * @param {number} [from]
 * @param {number} [level]
 * @returns {[number, number]}
 */
export function rangeOf([low, high], from, level) {
  const bottom = Math.min(low, from ?? Infinity, level ?? Infinity);
  const top = Math.max(high, from ?? -Infinity, level ?? -Infinity);
  const unit = round(Math.max(top - bottom, LEAST) / TICKS);
  const down = Math.floor(bottom / unit + 1e-9) * unit;
  const up = level === top ? top : Math.ceil(top / unit - 1e-9) * unit; // a level is there from the start
  return roomy(down, up, from);
}

/** One frame's way from ``now`` to ``goal``, and there once it is close. */
export function eased(now, goal) {
  const size = goal[1] - goal[0];
  const next = now.map((x, i) => x + 0.3 * (goal[i] - x));
  return next.every((x, i) => Math.abs(x - goal[i]) < 0.004 * size) ? goal : next;
}
