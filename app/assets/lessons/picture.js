// A run of the toy, played on the page: the replies' probabilities and up to three metrics, all from the core.
import { h } from "../shared/dom.js";
import { number, percent } from "../shared/format.js";
import { lineChart, range } from "./chart.js";
import { written } from "./symbols.js";

const SECONDS = 4;

const role = (k, pairs) => {
  const won = pairs.some(([chosen]) => chosen === k);
  const lost = pairs.some(([, rejected]) => rejected === k);
  return won === lost ? "" : won ? "chosen" : "rejected";
};

function bar(run, k) {
  const fill = h("i", { class: "l-fill" });
  const share = h("span", { class: "l-share" });
  const kind = role(k, run.pairs);
  const node = h(
    "div",
    { class: "l-reply" },
    h("span", { class: "l-said" }, run.replies[k], kind && h("small", { class: kind }, ` ${kind}`)),
    h(
      "span",
      { class: "l-track" },
      fill,
      h("i", {
        class: "l-mark reference",
        style: `left:${100 * run.reference[k]}%`,
        title: `reference ${percent(run.reference[k])}`,
      }),
      run.optimum &&
        h("i", {
          class: "l-mark optimum",
          style: `left:${100 * run.optimum[k]}%`,
          title: `optimum ${percent(run.optimum[k])}`,
        }),
    ),
    share,
  );
  return {
    node,
    seek(frame) {
      const p = run.policy[k][frame];
      fill.style.transform = `scaleX(${p})`;
      share.textContent = percent(p);
    },
  };
}

// ``hidden`` names metrics that are drawn elsewhere (a sketch draws its own).
export function runPicture(run, after = null, hidden = []) {
  const bars = run.replies.map((_, k) => bar(run, k));
  const charts = run.metrics
    .filter((m) => !hidden.includes(m.name))
    .map((metric) => {
      const [low, high] = range(metric.values, metric.ceiling);
      const chart = lineChart({
        ...run,
        ...metric,
        low,
        high,
        label: `${metric.label} over ${run.steps} steps, from ${number(metric.values[0])} to ${number(metric.values.at(-1))}`,
      });
      const value = h("span", { class: "l-value" });
      return {
        node: h(
          "div",
          { class: "l-plot" },
          h(
            "p",
            { class: "l-plot-head" },
            h("span", {}, written(metric.label)),
            h("small", {}, ` ${metric.unit}`),
            value,
          ),
          chart.root,
        ),
        seek(frame) {
          chart.seek(frame);
          value.textContent = number(metric.values[frame]);
        },
      };
    });
  const last = run.t.length - 1;
  const frameAt = (step) => {
    let i = run.t.findIndex((t) => t >= step);
    if (i < 0) i = last;
    return i;
  };
  let frame = frameAt(run.at);
  let request = 0;
  const count = h("span", { class: "l-count" });
  const scrub = h("input", {
    type: "range",
    min: 0,
    max: last,
    step: 1,
    "aria-label": "Step",
    oninput: () => {
      stop();
      seek(Number(scrub.value));
    },
  });
  const button = h(
    "button",
    { type: "button", class: "l-play", onclick: () => (request ? stop() : play()) },
    "▶ Play",
  );

  function seek(next) {
    frame = next;
    bars.forEach((one) => one.seek(frame));
    charts.forEach((one) => one.seek(frame));
    scrub.value = frame;
    scrub.setAttribute("aria-valuetext", `step ${run.t[frame]} of ${run.steps}`);
    count.textContent = `step ${run.t[frame]} / ${run.steps}`;
    root.dataset.step = run.t[frame];
  }

  function stop() {
    cancelAnimationFrame(request);
    request = 0;
    button.textContent = "▶ Play";
  }

  // From the start to the step that the text talks about, or to the end when it talks about the start.
  function play() {
    const end = run.at > 0 && frame < frameAt(run.at) ? frameAt(run.at) : last;
    const from = frame >= end ? 0 : frame;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return seek(end);
    button.textContent = "⏸ Pause";
    let begun = null;
    const tick = (now) => {
      begun ??= now;
      seek(Math.min(end, Math.round(from + ((now - begun) / 1000 / SECONDS) * last)));
      if (frame < end) request = requestAnimationFrame(tick);
      else stop();
    };
    request = requestAnimationFrame(tick);
  }

  const changes = run.changes.map(({ step, text }) => h("li", {}, `step ${step}: ${text}`));
  const root = h(
    "div",
    { class: "l-run", role: "group", "aria-label": `A run: ${run.prompt}` },
    h("p", { class: "l-prompt" }, run.prompt),
    h(
      "div",
      { class: charts.length > 1 ? "l-drawn l-many" : "l-drawn" },
      h(
        "div",
        { class: "l-replies" },
        h(
          "div",
          { class: "l-stack" },
          bars.map((one) => one.node),
        ),
        h(
          "p",
          { class: "l-key" },
          h("i", { class: "l-mark reference" }),
          "reference",
          run.optimum && h("i", { class: "l-mark optimum" }),
          run.optimum && "optimum of the labels",
        ),
      ),
      charts.length
        ? h(
            "div",
            { class: "l-plots" },
            charts.map((one) => one.node),
          )
        : null,
    ),
    changes.length ? h("ul", { class: "l-changes" }, changes) : null,
    h("div", { class: "l-transport" }, button, scrub, count, after),
  );
  seek(frame);
  return {
    root,
    stop,
    play,
    rewind() {
      seek(0);
    },
  };
}
