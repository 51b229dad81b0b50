// Start, pause, step, stop, compare; and how far the run is, how fast, on what, and who is before it.
import { h } from "../shared/dom.js";
import { icon } from "../shared/icons.js";

const span = (seconds) =>
  seconds < 90
    ? `${Math.max(0, Math.round(seconds))} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`;
const speed = (rate) =>
  rate >= 1 ? `${rate.toFixed(1)} steps/s` : `${(1 / Math.max(rate, 1e-9)).toFixed(1)} s per step`;

// What the second run of a comparison does otherwise.
function otherThan(objective) {
  if (!("sigma_weight" in objective)) return "DPO";
  return `σ ${objective.sigma_weight ? "off" : "on"}`;
}

export function progress(page) {
  const tell = (action) => () => page.send({ type: "tell", run: page.record.id, action });
  const start = h("button", { type: "button", class: "primary start", onclick: () => page.start(false) });
  const pause = h("button", {
    type: "button",
    class: "icon",
    onclick: () => tell(page.record.state === "paused" ? "resume" : "pause")(),
  });
  const step = h(
    "button",
    {
      type: "button",
      class: "icon",
      "aria-label": "One step",
      title: "One step (pauses first)",
      onclick: tell("step"),
    },
    icon("forward"),
  );
  const stop = h("button", { type: "button", class: "stop", onclick: tell("stop") }, "Stop");
  const compare = h("button", { type: "button", class: "compare", onclick: () => page.compare() });
  const tabs = h("div", {
    class: "tabs",
    role: "group",
    "aria-label": "Which run is drawn solid; the other is dashed",
  });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress of the run" });
  const words = h("output", { class: "where" });
  const forecast = h("div", { class: "status forecast", role: "alert", hidden: true });
  const root = h(
    "div",
    {},
    h(
      "div",
      { class: "transport", role: "group", "aria-label": "The run" },
      start,
      pause,
      step,
      stop,
      compare,
      tabs,
      bar,
      words,
    ),
    forecast,
  );
  let looks = "";

  return {
    root,
    update() {
      const { record, records } = page;
      const state = record?.state ?? "none";
      const live = record && !record.ended;
      const going = live && record.started != null;
      const key = [state, records.map((r) => r.id + r.name), record?.id, record?.slow].join();
      if (key !== looks) {
        looks = key;
        start.replaceChildren(
          ...(live ? ["Restart"] : [icon("play"), state === "none" ? "Start" : "Start again"]),
        );
        pause.replaceChildren(icon(state === "paused" ? "play" : "pause"));
        pause.setAttribute("aria-label", state === "paused" ? "Resume" : "Pause");
        pause.title = state === "paused" ? "Resume" : "Pause";
        for (const button of [pause, step]) button.disabled = !going;
        stop.disabled = !live;
        const first = records[0];
        compare.hidden = records.length > 1;
        compare.textContent = first
          ? `Compare with ${otherThan(first.config.objective)}`
          : "Compare σ on with σ off";
        compare.title = first
          ? `The same run once more, with the same changes at the same steps but ${otherThan(first.config.objective)}`
          : "Two runs, one after the other, drawn together";
        tabs.hidden = records.length < 2;
        tabs.replaceChildren(
          ...records.map((r) =>
            h(
              "button",
              { type: "button", "aria-pressed": String(r === record), onclick: () => page.select(r.id) },
              r.name,
            ),
          ),
        );
        forecast.hidden = record?.slow == null || !live;
        if (!forecast.hidden)
          forecast.replaceChildren(
            `This run will take about ${span(record.slow)} on ${record.started.device}: ${record.steps} ` +
              `steps at ${speed(record.started.predicted_steps_per_second)}, ` +
              `and up to ${span(record.started.predicted_measuring_seconds)} ` +
              "for samples. ",
            h("button", { type: "button", class: "primary", onclick: tell("resume") }, "Start it"),
            " ",
            h("button", { type: "button", onclick: tell("stop") }, "Do not"),
          );
      }
      bar.value = record
        ? record.state === "starting" || record.state === "queued"
          ? (record.progress?.share ?? 0)
          : record.step / record.steps
        : 0;
      words.textContent = record ? sentence(record) : "The model learns on this machine; choose Start.";
      root.dataset.state = state;
    },
  };
}

function sentence(record) {
  const { last, started, state } = record;
  if (state === "queued")
    return record.position ? `waiting: number ${record.position} in the queue` : "waiting";
  if (!started)
    return record.progress
      ? `${record.progress.what}${record.progress.share == null ? "" : ` ${Math.round(100 * record.progress.share)} %`}`
      : record.warm
        ? "starting"
        : "loading the training process (only the first time)";
  const parts = [`step ${record.step} / ${record.steps}`];
  if (!last) parts.push(`forecast ${speed(started.predicted_steps_per_second)}`);
  else parts.push(speed(last.steps_per_second));
  if (last && state === "running") parts.push(`${span(last.seconds_left)} left`);
  if (state !== "running") parts.push(state);
  parts.push(
    `${last?.device ?? started.device} ${last?.dtype ?? started.dtype}`,
    `${(started.parameters / 1e6).toFixed(started.parameters < 1e7 ? 1 : 0)} M parameters`,
  );
  return parts.join(" · ");
}
