// The pairs: who beats whom, their margins as they stand, and a click that flips a label, also mid-run.
import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { term } from "../shared/terms.js";

const SHARES = [1, 0.9, 0.8, 0.7, 0.6, 0.5];

export function pairTable(page) {
  const body = h("tbody", {});
  const count = h("span", { class: "hint" });
  const root = h(
    "section",
    { class: "panel pairs", "aria-label": "Pairs" },
    h("h3", {}, "Pairs ", count),
    h(
      "p",
      { class: "hint" },
      "Flip a label at any time, also while it trains, or say how many of its raters ",
      term("agreement", "agree"),
      ". “Tokens” shows where a pair's implicit reward sits.",
    ),
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
            h("th", {}),
            h("th", {}, "prompt, chosen and rejected reply"),
            h("th", {}, term("rewards/margins", "margin u")),
            h("th", {}, term("sigma_weight", "σ(−u)")),
            h("th", {}),
          ),
        ),
        body,
      ),
    ),
  );
  let rows = [];
  let shape = "";

  function row(i) {
    const prompt = h("span", { class: "prompt-text" });
    const chosen = h("span", { class: "chosen" });
    const rejected = h("span", { class: "rejected" });
    const margin = h("td", { class: "margin" });
    const weight = h("td", {});
    const flip = h(
      "button",
      {
        type: "button",
        class: "small flip",
        "aria-label": `Flip pair ${i + 1}`,
        onclick: () => {
          if (page.mine) flip.classList.add("asked");
          page.flip(i);
        },
      },
      "Flip",
    );
    const agreement = h(
      "select",
      {
        class: "agreement",
        "aria-label": `Agreement on pair ${i + 1}`,
        title: "How many of the raters agree with the label",
        onchange: () => page.agree(i, Number(agreement.value)),
      },
      SHARES.map((p) => h("option", { value: p }, `${Math.round(100 * p)} %`)),
    );
    const tokens = h(
      "button",
      {
        type: "button",
        class: "small",
        "aria-label": `Tokens of pair ${i + 1}`,
        onclick: () => page.watchPair(i),
      },
      "Tokens",
    );
    const node = h(
      "tr",
      { "data-pair": i },
      h("td", {}, `${i + 1}`),
      h("td", { class: "words" }, prompt, chosen, rejected),
      margin,
      weight,
      h("td", { class: "acts" }, flip, tokens, agreement),
    );
    return { node, prompt, chosen, rejected, margin, weight, flip, agreement, said: "" };
  }

  return {
    root,
    update() {
      const pairs = page.pairs();
      const now = `${page.record?.id ?? "draft"}/${pairs.length}`;
      if (now !== shape) {
        shape = now;
        rows = pairs.map((_, i) => row(i));
        body.replaceChildren(...rows.map((r) => r.node));
        count.textContent = pairs.length ? `${pairs.length}` : "";
      }
      pairs.forEach((pair, i) => {
        const r = rows[i];
        const said = `${pair.prompt}\n${pair.chosen}\n${pair.rejected}\n${pair.flipped}`;
        if (r.said !== said) {
          r.said = said;
          r.prompt.textContent = pair.prompt;
          r.chosen.textContent = `+ ${pair.chosen}`;
          r.rejected.textContent = `− ${pair.rejected}`;
          r.node.classList.toggle("flipped", Boolean(pair.flipped));
          r.flip.classList.remove("asked");
        }
        if (r.share !== pair.agreement && document.activeElement !== r.agreement) {
          r.share = pair.agreement;
          if (
            !SHARES.includes(pair.agreement) &&
            ![...r.agreement.options].some((o) => Number(o.value) === pair.agreement)
          )
            r.agreement.append(
              h("option", { value: pair.agreement }, `${number(100 * pair.agreement, 1)} %`),
            );
          r.agreement.value = pair.agreement;
        }
        const figures = `${number(pair.margin)} ${number(pair.weight)}`;
        if (r.figures !== figures) {
          r.figures = figures;
          r.margin.textContent = number(pair.margin);
          r.weight.textContent = number(pair.weight);
        }
      });
    },
  };
}

// Everything that happened to the run, by step.
export function eventLog(page) {
  const list = h("ol", {});
  const root = h(
    "section",
    { class: "panel log", "aria-label": "Event log" },
    h("h3", {}, "Event log"),
    list,
  );
  let shown = "";
  return {
    root,
    update() {
      const { record } = page;
      const now = `${record?.id}/${record?.log.length}`;
      if (now === shown) return;
      shown = now;
      const entries =
        record?.log.map((entry) =>
          h(
            "li",
            { class: `entry ${entry.kind}`, "data-step": entry.step },
            `step ${entry.step}: ${entry.text}`,
          ),
        ) ?? [];
      list.replaceChildren(
        ...(entries.length
          ? entries
          : [
              h(
                "li",
                { class: "hint" },
                "Nothing yet. Every change made while it trains is written here, with the step from which it is in force.",
              ),
            ]),
      );
      list.scrollTop = list.scrollHeight;
    },
  };
}
