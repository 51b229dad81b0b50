// The lecturer's room beside the Playground: its code, its questions, and what becomes of the votes.
import { download, h } from "../shared/dom.js";
import { AskForm } from "./ask_form.js";
import { DriverLink } from "./driver_link.js";
import { follow } from "./follow.js";
import { QuestionView } from "./question_view.js";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

// Where the phones go: code, address and QR code.
function entrance(link) {
  const code = h("b", { class: "code" });
  const address = h("a", { target: "_blank", rel: "noopener" });
  const qr = h("img", { class: "qr", alt: "" });
  const phones = h("p", { class: "phones" });
  const hint = h(
    "p",
    { class: "hint" },
    "This address works on this computer only. Open the app by this machine's network address, then open a room.",
  );
  hint.hidden = !LOCAL.includes(location.hostname);
  let drawn = "";
  async function draw() {
    drawn = link.room.code;
    const svg = await link.text(`qr?address=${encodeURIComponent(link.address)}`).catch(() => "");
    qr.hidden = !svg;
    if (svg) qr.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }
  return {
    root: h("div", { class: "entrance" }, qr, h("div", {}, code, h("p", {}, address), phones, hint)),
    update(state) {
      code.textContent = state.code;
      address.textContent = link.address.replace(/^https?:\/\//, "");
      address.href = link.address;
      qr.alt = `QR code of ${link.address}`;
      phones.textContent = state.phones === 1 ? "1 phone" : `${state.phones} phones`;
      if (drawn !== state.code) draw();
    },
  };
}

// What is done with the room as a whole.
function keeping(app, link, say) {
  const button = (text, title, action) => h("button", { type: "button", title, onclick: action }, text);
  const end = button("End the room", "Deletes the room and all its votes", async () => {
    if (end.dataset.sure) return link.do("end");
    end.dataset.sure = "yes";
    end.textContent = "Delete the room and its votes?";
    setTimeout(() => {
      delete end.dataset.sure;
      end.textContent = "End the room";
    }, 5000);
  });
  const copy = button("Copy the driver's link", "With it a second device drives this room", async () => {
    const address = `${location.origin}${location.pathname}?${app.query}#room=${link.room.code}.${link.room.token}`;
    try {
      await navigator.clipboard.writeText(address);
      say("Copied. Whoever has this link drives the room.");
    } catch {
      window.prompt("The driver's link:", address); // without https there is no clipboard
    }
  });
  const csv = button("Votes (CSV)", "Every question with its votes; nothing about who voted", async () => {
    const text = await link.text("votes.csv").catch((error) => say(error.message));
    if (text) download(`dpo-lab-room-${link.room.code}.csv`, text, "text/csv");
  });
  const scenario = button("Scenario (JSON)", "The world on screen with the agreements that were used", () =>
    app.dialogs.export.save("scenario"),
  );
  return h("div", { class: "line keeping" }, copy, csv, scenario, end);
}

/**
 * @param {import("../shared/types.d.ts").Player} app
 */
export function driverPanel(app) {
  const status = h("p", { class: "problem", role: "status" });
  const say = (text) => {
    status.textContent = text;
  };
  const link = new DriverLink((state) => update(state), say);
  const form = new AskForm(app, link);
  const question = new QuestionView(app, link, form);
  const door = entrance(link);
  const showing = h("input", {
    type: "checkbox",
    role: "switch",
    "aria-label": "phones follow this picture",
  });
  const open = h(
    "div",
    { class: "invite" },
    h("p", {}, "Open a room: the class votes by phone, and its share becomes the agreement p of a label."),
    h("button", { type: "button", class: "primary", onclick: () => link.open() }, "Open a room"),
  );
  const inside = h(
    "div",
    { class: "inside", hidden: true },
    h("div", {}, door.root, keeping(app, link, say)),
    h("div", {}, form.root, h("label", { class: "switch" }, showing, "phones follow this picture")),
    question.root,
  );
  const root = h("section", { class: "panel room", "aria-label": "Room" }, status, open, inside);
  const stop = follow(app, link, () => showing.checked);

  function update(state) {
    open.hidden = Boolean(state);
    inside.hidden = !state;
    if (!state) showing.checked = false;
    if (!state || !app.run) return;
    form.update(app.run);
    door.update(state);
    question.update(state);
  }
  return { root, link, stop };
}
