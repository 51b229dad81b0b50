// Samples of policy and reference for the same prompt, with a slider back through time; and replies token by token.
import { h, maths } from "../shared/dom.js";
import { number } from "../shared/format.js";
import { term } from "../shared/terms.js";

const feeling = (reply, graded) =>
  !graded ? "" : reply.sentiment == null ? "not a review" : `sentiment ${number(reply.sentiment, 2)}`;

export function samples(page) {
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 0,
    value: 0,
    step: 1,
    class: "scrub",
    "aria-label": "Samples at step",
  });
  const when = h("output", { class: "count" });
  const latest = h("button", { type: "button", class: "small", onclick: () => page.look(null) }, "Latest");
  const body = h("div", { class: "speech" });
  const root = h(
    "section",
    { class: "panel samples", "aria-label": "Samples" },
    h("div", { class: "time" }, h("h3", {}, "Samples"), slider, when, latest),
    body,
  );
  slider.addEventListener("input", () => {
    const all = page.record?.measured ?? [];
    page.look(Number(slider.value) >= all.length - 1 ? null : all[Number(slider.value)].step);
  });
  let shown = "";
  return {
    root,
    update() {
      const { record } = page;
      const all = record?.measured ?? [];
      const index = page.at == null ? all.length - 1 : all.findIndex((m) => m.step === page.at);
      const now = [record?.id, index, all.length].join();
      if (now === shown) return;
      shown = now;
      slider.max = String(Math.max(0, all.length - 1));
      slider.value = String(Math.max(0, index));
      slider.disabled = all.length < 2;
      latest.hidden = page.at == null;
      const measured = all[index];
      when.textContent = measured ? `step ${measured.step}` : "";
      if (!measured) {
        body.replaceChildren(
          h(
            "p",
            { class: "hint" },
            "What the model writes appears here as it trains, beside what its reference writes " +
              "for the same prompt with the same random numbers.",
          ),
        );
        return;
      }
      const graded = record.started.graded;
      const said = (sample, who) => {
        const reply = sample[who];
        return h(
          "div",
          { class: `said ${who}` },
          h("span", { class: "who" }, who),
          h(
            "q",
            {},
            h("span", { class: "given" }, sample.prompt),
            h("b", {}, reply.text),
            reply.ended ? "" : " …",
          ),
          h(
            "span",
            { class: `mood ${graded && reply.sentiment == null ? "bad" : ""}` },
            feeling(reply, graded),
          ),
          h(
            "button",
            {
              type: "button",
              class: "small",
              "aria-label": `Tokens of the ${who}'s reply`,
              onclick: () => page.watch(null, [[sample.prompt, reply.text, reply.tokens]]),
            },
            "Tokens",
          ),
        );
      };
      const facts = h(
        "p",
        { class: "hint facts" },
        term("sampled_entropy", `${measured.samples} samples at this step`),
        `: ${number(measured.length, 1)} tokens on average, entropy ${number(measured.entropy, 2)} ` +
          `nats, ${number(100 * (1 - measured.cut_share), 1)} % ended by themselves.`,
      );
      body.replaceChildren(
        facts,
        ...measured.samples_shown.map((sample) =>
          h("div", { class: "pairing" }, said(sample, "policy"), said(sample, "reference")),
        ),
      );
    },
  };
}

export function tokenStrip(page) {
  const title = h("span", { class: "hint" });
  const body = h("div", { class: "strips" });
  const prompt = h("input", {
    type: "text",
    class: "wide",
    "aria-label": "Prompt of your own text",
    placeholder: "a prompt: The plot was",
  });
  const reply = h("input", {
    type: "text",
    class: "wide",
    "aria-label": "Reply of your own text",
    placeholder: "its reply: thin, but I laughed.",
  });
  const own = h(
    "form",
    {
      class: "own-text",
      onsubmit: (event) => {
        event.preventDefault();
        page.readText(prompt.value, reply.value);
      },
    },
    prompt,
    reply,
    h("button", { type: "submit", class: "small" }, "Read your own"),
  );
  const root = h(
    "section",
    { class: "panel tokens", "aria-label": "Tokens" },
    h("h3", {}, term("token_ratio", "Where the implicit reward sits"), " ", title),
    body,
    own,
    h(
      "p",
      { class: "hint" },
      maths(
        "Under each token log π/π_ref in nats: green, the policy likes it more than the reference " +
          "does; grey, less. Striped tokens are the prompt: masked, they carry no reward.",
      ),
    ),
  );
  let shown = "";

  function strip(name, found) {
    const most = Math.max(1, ...found.tokens.map((t) => Math.abs(t.log_ratio ?? 0)));
    return h(
      "div",
      { class: "strip", "data-step": found.step },
      h(
        "p",
        {},
        h("b", page.watched.pair == null ? {} : { class: name }, name),
        maths(
          ` at step ${Math.min(found.step, page.record.steps)}: Σ log π/π_ref = ${number(found.log_ratio)} nats, r̂ = β × that = `,
        ),
        h("b", { class: "reward" }, number(found.reward)),
      ),
      h(
        "div",
        { class: "row" },
        found.tokens.map((t) => {
          const size = Math.min(1, Math.abs(t.log_ratio ?? 0) / most);
          const ink = t.log_ratio > 0 ? "policy" : "reference";
          return h(
            "span",
            {
              class: `token ${t.masked ? "masked" : ink}`,
              title: t.masked ? "prompt: masked" : `${number(t.log_ratio, 4)} nats`,
              style: t.masked
                ? ""
                : `background:color-mix(in srgb, var(--${ink}) ${Math.round(75 * size)}%, transparent)`,
            },
            h("span", { class: "text" }, t.token.replaceAll(" ", "␣").replaceAll("\n", "⏎")),
            h(
              "small",
              {},
              t.masked
                ? ""
                : t.log_ratio == null
                  ? "–"
                  : t.log_ratio.toFixed(2).replace("-", "−").replace("−0.00", "0.00"),
            ),
          );
        }),
      ),
    );
  }

  return {
    root,
    update() {
      const { record, watched } = page;
      // The answer is read off after the measurement's own update: the first one later than its step.
      const then = (all) =>
        page.at == null ? all.at(-1) : (all.find((t) => t.step > page.at) ?? all.at(-1));
      const found = (watched?.texts ?? []).map(([prompt, reply]) => {
        const mine = record?.tokens.filter((t) => t.prompt === prompt && t.reply === reply) ?? [];
        const name =
          watched.pair == null
            ? "reply"
            : reply === page.pairs()[watched.pair]?.chosen
              ? "chosen"
              : "rejected";
        return [name, then(mine)];
      });
      const now = JSON.stringify([record?.id, watched, found.map((f) => [f[0], f[1]?.step])]);
      if (now === shown) return;
      shown = now;
      title.textContent = watched
        ? `· ${watched.pair == null ? (watched.texts[0].length > 2 ? "a sample" : "your text") : `pair ${watched.pair + 1}`}`
        : "";
      const there = found.filter((f) => f[1]);
      body.replaceChildren(
        ...(there.length
          ? there.map(([name, f]) => strip(name, f))
          : [
              h(
                "p",
                { class: "hint" },
                watched
                  ? "Read at the next measurement."
                  : "Start a run, then choose “Tokens” at a pair or at a sample.",
              ),
            ]),
      );
    },
  };
}
