// How a question's votes become the agreement p of the comparison that it was about.

/** @typedef {import("../shared/types.d.ts").Run} Run */

/**
 * The question that asks which reply of comparison i is better, whatever the label says now: the replies stand in
 * the world's order, so that the order tells nobody which one was chosen.
 * @param {Run} run
 * @param {number} step
 * @param {number} comparison
 */
export function questionAbout(run, step, comparison) {
  const [prompt, chosen, rejected] = run.segmentAt(step).comparisons[comparison];
  const replies = [Math.min(chosen, rejected), Math.max(chosen, rejected)];
  const { text, replies: texts } = run.prompts[prompt];
  return { text, answers: replies.map((k) => texts[k]), about: { comparison, prompt, replies } };
}

/**
 * The agreement p that the votes give to the label in force at `step`: the share for the reply that is chosen there.
 * Null where nobody has voted, where it is not about a comparison, or where it is about another world.
 * @param {Run} run
 * @param {number} step
 * @param {any} question
 * @returns {number | null}
 */
export function agreementOf(run, step, question) {
  const { comparison, prompt, replies } = question.about;
  const now = comparison === undefined ? undefined : run.segmentAt(step).comparisons[comparison];
  if (!question.votes || !now || now[0] !== prompt) return null;
  const same = questionAbout(run, step, comparison);
  // the room trims what is asked, and writes a space for what cannot be printed
  const alike = (a, b) => a.replace(/\s/g, "") === b.replace(/\s/g, "");
  if (!question.answers.every((text, k) => alike(text, same.answers[k]))) return null;
  return question.result[replies.indexOf(now[1])]?.share ?? null;
}

/**
 * For every comparison the newest question about it that is no longer open.
 * @param {any[]} questions
 */
export function newestByComparison(questions) {
  const newest = new Map();
  for (const question of questions)
    if (question.about.comparison !== undefined && question.status !== "open" && question.votes)
      newest.set(question.about.comparison, question);
  return [...newest.values()];
}
