// A thin bar at each reply for its learned reward, from the lowest of its prompt: a constant for a whole prompt means nothing.
import { number } from "../shared/format.js";

const rewards = (run, p, step) =>
  run.prompts[p].replies.map((_, k) => run.at(`reward_of/${run.starts[p] + k}`, step));

/** The largest difference within one prompt at the run's end; 0 where no reward is learned. */
export function spreadOf(run) {
  if (!run.rows.has("reward_of/0")) return 0;
  const ends = run.prompts.map((_, p) => rewards(run, p, run.steps));
  return Math.max(0, ...ends.map((own) => Math.max(...own) - Math.min(...own)));
}

/** Sets the ``learned`` bar of each row at ``step``, as a share of ``spread``. */
export function showLearned(rows, run, spread, step) {
  run.prompts.forEach((prompt, p) => {
    const own = spread ? rewards(run, p, step) : [];
    prompt.replies.forEach((_, k) => {
      const bar = rows[run.starts[p] + k].learned;
      bar.hidden = !own.length;
      if (!own.length) return;
      bar.style.width = `${(100 * (own[k] - Math.min(...own))) / spread}%`;
      bar.title = `learned reward ${number(own[k])}`;
    });
  });
}
