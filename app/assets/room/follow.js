// What the phones see of the lecturer's picture: the run once, then only the step as it moves.

const EVERY = 100; // ms: ten times a second at most
const RUN_EVERY = 500; // ms between two pictures: a slider that is dragged makes many runs
const MOST_STEPS = 101;
const MOST_NUMBERS = 6000;
const PLOT = { column: "kl/policy_reference", name: "KL(π‖π_ref)" };

const rounded = (x) => Number(x.toFixed(4));

/**
 * The run at no more steps than a phone can draw, its last one included.
 * @param {import("../shared/types.d.ts").Run} run
 */
export function pictureOf(run) {
  const most = Math.max(2, Math.min(MOST_STEPS, Math.floor(MOST_NUMBERS / run.reference.length)));
  const count = Math.min(run.steps + 1, most);
  const steps = Array.from({ length: count }, (_, i) => Math.round((i * run.steps) / (count - 1)));
  const column = (name) => steps.map((step) => rounded(run.at(name, step)));
  return {
    link: run.link,
    steps,
    prompts: run.prompts.map(({ text, replies, reference }) => ({ text, replies, reference })),
    policy: run.reference.map((_, k) => column(`policy/${k}`)),
    plot: { name: PLOT.name, values: column(PLOT.column) },
  };
}

/**
 * Shows the player's picture on the phones while `wanted` says so; returns what ends it.
 * @param {import("../shared/types.d.ts").Player} app
 * @param {import("./driver_link.js").DriverLink} link
 * @param {() => boolean} wanted
 */
export function follow(app, link, wanted) {
  let run = null;
  let step = -1;
  let shown = 0;
  let busy = false;
  const look = async () => {
    if (busy || !link.room || !app.run) return;
    const ends = run && !wanted();
    const fresh = wanted() && app.run !== run && Date.now() - shown > RUN_EVERY;
    const moved = wanted() && run && app.step !== step;
    if (!ends && !fresh && !moved) return;
    busy = true;
    if (ends) {
      run = null;
      await link.do("show", { picture: null });
    } else if (fresh) {
      ({ run, step } = app);
      shown = Date.now();
      await link.do("show", { picture: pictureOf(run), step });
    } else {
      ({ step } = app);
      await link.do("step", { step });
    }
    busy = false;
  };
  const timer = setInterval(look, EVERY);
  return () => clearInterval(timer);
}
