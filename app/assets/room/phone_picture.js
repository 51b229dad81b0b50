// The lecturer's picture: bars of the policy, one plot, the step. The run comes once, then only the step moves.
import { words } from "./phone_words.js";

function add(parent, tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

function bar(parent, text, reference) {
  const root = add(parent, "div", "bar");
  const said = add(root, "div", "said");
  add(said, "span", "", text).dir = "auto";
  const number = add(said, "span", "number");
  const track = add(root, "div", "track");
  const fill = add(track, "div", "fill");
  add(track, "div", "tick").style.left = `${100 * reference}%`;
  return (p) => {
    fill.style.transform = `scaleX(${p})`;
    number.textContent = `${(100 * p).toFixed(1)} %`;
  };
}

function drawn(tag, parent, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent.append(node);
  return node;
}

function plot(parent, { name, values }, steps) {
  const last = steps[steps.length - 1] || 1;
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9);
  const y = (value) => 100 - (98 * (value - low)) / (high - low);
  const title = add(parent, "h2");
  const svg = drawn("svg", parent, { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" });
  svg.setAttribute("aria-label", name);
  const path = drawn("path", svg, {});
  const now = drawn("line", svg, { y1: 0, y2: 100 });
  return (index) => {
    const points = values.slice(0, index + 1).map((v, i) => `${(100 * steps[i]) / last} ${y(v)}`);
    path.setAttribute("d", `M${points.join("L")}`);
    const x = (100 * steps[index]) / last;
    now.setAttribute("x1", x);
    now.setAttribute("x2", x);
    title.textContent = `${name}: ${values[index].toFixed(3)}`;
  };
}

// Draws `picture` into `root`; the answer moves it to a step.
export function drawPicture(root, picture) {
  root.textContent = "";
  add(root, "p", "soft", words.watch);
  const counter = add(root, "h2");
  const bars = [];
  picture.prompts.forEach((prompt, p) => {
    add(root, "h2", "", `${words.prompt(p + 1)}: ${prompt.text}`).dir = "auto";
    prompt.replies.forEach((text, k) => bars.push(bar(root, text, prompt.reference[k])));
  });
  add(root, "p", "soft", words.reference);
  const move = plot(root, picture.plot, picture.steps);
  const explore = add(root, "a", "button", words.explore);
  const lecture = location.pathname.split("/").pop().toUpperCase();
  explore.addEventListener("click", () => {
    try {
      sessionStorage.setItem("dpo-lab-lecture", lecture); // the Playground offers the way back
    } catch {
      // the browser's own way back is there too
    }
  });
  return (step) => {
    const { steps } = picture;
    let index = steps.length - 1;
    while (index > 0 && steps[index] > step) index -= 1;
    counter.textContent = words.step(Math.min(step, steps[steps.length - 1]));
    bars.forEach((set, k) => set(picture.policy[k][index]));
    move(index);
    explore.href = `../?${encodeURI(picture.link)}&t=${step}`;
  };
}
