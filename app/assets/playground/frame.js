// The toolbar above the player, and the invitation that a first visitor sees instead of empty plots.
import { h, maths } from "../shared/dom.js";
import { percent, short } from "../shared/format.js";
import { presets } from "../shared/facts.js";
import { icon } from "../shared/icons.js";
import { allow, compareChoice } from "./compare.js";
import { sentence } from "./intro.js";
import { roomButtons } from "../room/room_button.js";

export function toolbar(app) {
  const choose = h("select", {
    class: "preset",
    "aria-label": "Preset",
    onchange: () => {
      if (choose.value) app.send({ type: "preset", key: choose.value });
    },
  });
  const button = (text, title, action, extra = "") =>
    h("button", { type: "button", title, class: extra, onclick: action }, text);
  const pin = button("Compare", "Pin this run: the next one is drawn against it", () =>
    app.send({ type: app.run.others.length ? "unpin" : "pin" }),
  );
  const beside = compareChoice(app);
  const present = button("Present", "Larger type, only what the room needs (P)", () => app.togglePresenter());
  const root = h(
    "div",
    { class: "toolbar" },
    h("div", { class: "what" }, choose),
    h(
      "div",
      { class: "actions" },
      pin,
      beside,
      button(
        "Edit world",
        "Change prompts, replies, reference and pairs, or import a file",
        () => app.dialogs.edit.open(),
        "edit",
      ),
      button("Share", "A link and a QR code for exactly this state", () => app.dialogs.share.open()),
      button("Export", "Scenario, trajectory or figure", () => app.dialogs.export.open(), "export"),
      present,
      ...roomButtons(app),
      button("?", "Keyboard and help", () => app.help(), "round"),
    ),
  );
  return {
    root,
    update(run) {
      const own = h("option", { value: "" }, "Your own world");
      choose.replaceChildren(
        ...(run.preset ? [] : [own]),
        ...presets.map((p) => h("option", { value: p.key, selected: p.key === run.preset }, p.name)),
      );
      allow(beside, run);
      const { length } = run.others;
      pin.textContent = length ? "End comparison" : "Compare";
      pin.setAttribute("aria-pressed", String(length > 0));
      present.setAttribute("aria-pressed", app.view.presenter);
    },
  };
}

// Where the run ends, small, from the run's own last step; it goes once anything has been played.
export function invitation(app) {
  const ends = h("div", { class: "ends" });
  const title = h("h2", {});
  const watch = h("p", { class: "hint" });
  const root = h(
    "div",
    { class: "invitation" },
    title,
    ends,
    h("button", { type: "button", class: "primary", onclick: () => app.play() }, icon("play"), "Play"),
    watch,
  );
  return {
    root,
    update(run) {
      watch.replaceChildren(...maths(sentence(run)));
      title.textContent = `Where these ${run.steps} step${run.steps > 1 ? "s" : ""} end`;
      ends.replaceChildren(
        ...run.prompts.map((prompt, p) =>
          h(
            "div",
            { class: "end" },
            h("h4", { dir: "auto" }, short(prompt.text, 44)),
            prompt.replies.map((text, k) => {
              const share = run.at(`policy/${run.starts[p] + k}`, run.steps);
              return h(
                "div",
                { class: "mini" },
                h("span", { class: "said", dir: "auto" }, text),
                h(
                  "span",
                  { class: "track" },
                  h("i", { class: "fill", style: `transform:scaleX(${share})` }),
                  h("i", { class: "mark reference", style: `left:${100 * prompt.reference[k]}%` }),
                ),
                h("span", { class: "share" }, percent(share)),
              );
            }),
          ),
        ),
      );
    },
    seek(step) {
      root.hidden = app.view.played || step > 0;
    },
  };
}
