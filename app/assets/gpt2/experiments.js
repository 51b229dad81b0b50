// What a lesson's link asks this page to try: the settings it starts from, and what to look at.
const EXPERIMENTS = {
  "sigma weight off": {
    set: (draft) => {
      draft.objective.sigma_weight = false;
    },
    text: "The σ weight is off. Press Start, then “Compare with σ on”, and watch KL and the share that parses.",
  },
  "tokens and mask": {
    at: ".tokens",
    text:
      "Press Start, then look at “Where the implicit reward sits”: prompt tokens are striped, " +
      "masked and carry none; end of text counts.",
  },
  "step 0": {
    text: "Press Start and read the first point: at step 0 every implicit reward is 0, because the reference log-probs are fresh.",
  },
  precision: {
    set: (draft) => {
      draft.dtype = "bfloat16";
    },
    text: "The model runs in bfloat16. Press Start and compare with a float32 run: choose the number format under “More”.",
  },
};

// Applies the experiment that the address names; true when there was one.
export function experiment(page) {
  const wanted = EXPERIMENTS[new URLSearchParams(location.search).get("experiment")];
  if (!wanted) return false;
  wanted.set?.(page.draft);
  page.say("info", wanted.text);
  if (wanted.at) page.root.querySelector(wanted.at)?.scrollIntoView({ block: "nearest" });
  return true;
}
