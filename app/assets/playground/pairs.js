// The pairs in words, with their agreement, and the gradient of the selected one with its numbers.
import { pairName } from "./bars.js";
import { h, holding, maths } from "../shared/dom.js";
import { number, share, short } from "../shared/format.js";
import { term } from "../shared/terms.js";

export function pairList(app) {
  const body = h("tbody", {});
  const everyone = h(
    "button",
    { type: "button", class: "small", onclick: () => app.select(null) },
    "Plot the mean of all pairs",
  );
  const root = h(
    "section",
    { class: "panel pairs", "aria-label": "Pairs" },
    h("h3", {}, "Pairs"),
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", {}, "plot"),
            h("th", {}, "who beats whom"),
            h("th", {}, term("agreement", "agreement p")),
            h("th", {}, term("rewards/margins", "margin u")),
            h("th", {}, term("sigma_weight", "σ(−u)")),
            h("th", {}),
          ),
        ),
        body,
      ),
    ),
    everyone,
  );
  let rows = [];
  let shape = "";

  function row(i) {
    const pick = h("input", {
      type: "radio",
      name: "dpo-pair",
      "aria-label": `Plot pair ${i + 1}`,
      onchange: () => app.select(i),
    });
    const words = h("td", { class: "words", dir: "auto" });
    const agree = h("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.01,
      "aria-label": `Agreement on pair ${i + 1}`,
    });
    const shown = h("output", {});
    const held = holding(agree);
    agree.addEventListener("input", () => {
      shown.textContent = share(Number(agree.value));
      if (!app.view.playing) send();
    });
    agree.addEventListener("change", () => app.view.playing && send());
    const send = () => app.intervene("agreement", Number(agree.value), i);
    const margin = h("td", { "data-term": "rewards/margins", tabindex: "0" });
    const weight = h("td", { "data-term": "sigma_weight", tabindex: "0" });
    const flip = h(
      "button",
      { type: "button", class: "small", "aria-label": `Flip pair ${i + 1}`, onclick: () => app.flip(i) },
      "Flip",
    );
    const node = h(
      "tr",
      {},
      h("td", {}, h("label", {}, pick, ` ${i + 1}`)),
      words,
      h("td", { class: "agree" }, agree, shown),
      margin,
      weight,
      h("td", {}, flip),
    );
    return { node, pick, words, agree, held, shown, margin, weight };
  }

  return {
    root,
    update(run) {
      const now = `${run.world}/${run.segments[0].comparisons.length}`;
      if (now === shape) return;
      shape = now;
      rows = run.segments[0].comparisons.map((_, i) => row(i));
      body.replaceChildren(...rows.map((r) => r.node));
    },
    seek(step) {
      const { run } = app;
      run.segmentAt(step).comparisons.forEach(([prompt, chosen, rejected, agreement], i) => {
        const r = rows[i];
        const { replies } = run.prompts[prompt];
        const words = `${chosen}/${rejected}`;
        if (r.said !== words) {
          r.said = words;
          r.words.replaceChildren(
            h("span", { class: "chosen" }, `+ ${short(replies[chosen], 40)}`),
            h("span", { class: "rejected" }, `− ${short(replies[rejected], 40)}`),
          );
        }
        if (!r.held() && !app.events.waiting) {
          r.agree.value = agreement;
          r.shown.textContent = share(agreement);
        }
        r.margin.textContent = number(run.at(`comparison/margin/${i}`, step));
        r.weight.textContent = number(run.at(`sigma_weight/${i}`, step));
        r.pick.checked = app.view.selected === i;
      });
      everyone.hidden = app.view.selected == null;
    },
  };
}

// An arrow whose length, of half the width, is the coefficient's share of β: its greatest size under Eq. 7.
function arrow(kind) {
  const shaft = h("i", {});
  return {
    root: h("span", { class: `pull ${kind}` }, shaft),
    set: (share) => {
      shaft.style.width = `${Math.min(50, 50 * Math.abs(share))}%`;
      shaft.classList.toggle("left", share < 0);
    },
  };
}

export function gradientPanel(app) {
  const title = h("p", { class: "which" });
  const up = arrow("chosen");
  const down = arrow("rejected");
  const c = [0, 1].map(() => h("output", { "data-term": "coefficient", tabindex: "0" }));
  const lines = h("div", { class: "equations" });
  const root = h(
    "section",
    { class: "panel gradient", "aria-label": "Gradient of the selected pair" },
    h("h3", {}, "Gradient at this step"),
    title,
    h(
      "div",
      { class: "pulls" },
      h("span", { class: "chosen" }, "chosen"),
      up.root,
      h("span", {}, term("coefficient", "c(y_w) = "), c[0]),
      h("span", { class: "rejected" }, "rejected"),
      down.root,
      h("span", {}, term("coefficient", "c(y_l) = "), c[1]),
    ),
    lines,
  );
  const line = (...parts) =>
    h("p", {}, parts.map((part) => (typeof part === "string" ? maths(part) : part)).flat());
  return {
    root,
    update() {},
    seek(step) {
      const { run } = app;
      const i = app.view.selected ?? 0;
      const now = run.segmentAt(step);
      const pair = now.comparisons[i];
      const p = pair[3];
      const at = (name) => run.at(`${name}/${i}`, step);
      const k = at("comparison/coefficient_rejected");
      const [rw, rl, u, weight] = [
        "comparison/reward_chosen",
        "comparison/reward_rejected",
        "comparison/margin",
        "sigma_weight",
      ].map(at);
      title.textContent = pairName(run, pair, i);
      up.set(k / now.objective.beta); // descent pushes against c: a negative coefficient raises the log-prob
      down.set(-k / now.objective.beta);
      c[0].textContent = number(-k, 4);
      c[1].textContent = k >= 0 ? `+${number(k, 4)}` : number(k, 4);
      const beta = number(now.objective.beta, 2);
      const rule = !now.objective.sigma_weight
        ? line(
            "c(y_l) = β(2p − 1) = ",
            beta,
            ` × (2 × ${number(p, 2)} − 1) = `,
            h("b", {}, number(k, 4)),
            "  (σ weight off)",
          )
        : p === 1
          ? line("c(y_l) = β·σ(−u) = ", beta, ` × ${number(weight, 4)} = `, h("b", {}, number(k, 4)))
          : line(
              "c(y_l) = β(p·σ(−u) − (1−p)·σ(u)) = ",
              beta,
              ` × (${number(p, 2)} × ${number(weight, 4)} − ${number(1 - p, 2)} × ${number(at("comparison/label_probability"), 4)}) = `,
              h("b", {}, number(k, 4)),
            );
      lines.replaceChildren(
        line(
          term("rewards/margins", "u"),
          ` = r̂(y_w) − r̂(y_l) = ${number(rw)} − (${number(rl)}) = `,
          h("b", {}, number(u)),
        ),
        rule,
        line("c(y_w) = −c(y_l) = ", h("b", {}, number(-k, 4))),
        h(
          "p",
          { class: "hint" },
          `c(y) = ∂L/∂log π(y|x). One step moves the logits by −η/${now.comparisons.length} ` +
            `times the sum over all pairs (η = ${now.learning_rate}). The arrows show c as a ` +
            "share of β.",
        ),
      );
    },
  };
}
