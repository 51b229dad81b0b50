// The toolbar's way into a room, and for a phone that went exploring the way back to its lecture.
import { h, loadStyles } from "../shared/dom.js";
import { driverPanel } from "./driver_panel.js";

const LECTURE = "dpo-lab-lecture"; // the room from which this tab came; phone_picture.js writes it

const styled = () => loadStyles(import.meta.url, ["driver.css"]);
const driving = () => location.hash.startsWith("#room=") || Boolean(sessionStorage.getItem("dpo-lab-driver"));

/** @param {import("../shared/types.d.ts").Player} app */
export function roomButtons(app) {
  let panel = null;
  const button = h("button", {
    type: "button",
    title: "The class votes by phone",
    "aria-expanded": "false",
    onclick: () => toggle(),
  });
  button.textContent = "Room";

  async function toggle() {
    if (!panel) {
      panel = driverPanel(app);
      panel.root.hidden = true;
      await styled();
      button.closest(".toolbar").after(panel.root);
    }
    panel.root.hidden = !panel.root.hidden;
    button.setAttribute("aria-expanded", String(!panel.root.hidden));
  }

  const lecture = sessionStorage.getItem(LECTURE);
  const back = new URL(`../../../r/${lecture}`, import.meta.url).href;
  if (driving()) setTimeout(toggle); // once the toolbar stands on the page
  if (lecture) styled();
  return lecture ? [h("a", { class: "lecture", href: back }, "Back to the lecture"), button] : [button];
}
