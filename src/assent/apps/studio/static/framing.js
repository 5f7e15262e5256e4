// A frame of the draft in every crop that platforms make, with the label and what players cover.

import { get } from "/static/page.js";
import { openViewing } from "/studio/static/pictures.js";

const SVG = "http://www.w3.org/2000/svg";
const place = document.getElementById("framing");
const slider = document.getElementById("frame");
const list = document.getElementById("framings");
const status = document.getElementById("framing-status");
const images = [];

document.getElementById("covered").addEventListener("change", (event) => {
  list.classList.toggle("bare", !event.target.checked);
});

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function box(name, [x0, y0, x1, y1], width) {
  return drawn("rect", { class: name, x: x0, y: y0, width: x1 - x0, height: y1 - y0, "stroke-width": width });
}

function hatch(size) {
  const definitions = drawn("defs", {});
  const pattern = drawn("pattern", { id: "hatch", width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(drawn("rect", { width: size, height: size, fill: "rgb(0 0 0 / .35)" }), drawn("rect", { width: size / 3, height: size, fill: "rgb(255 255 255 / .4)" }));
  definitions.append(pattern);
  return definitions;
}

function show({ ratio, crop, covered, whole, clear }, label, { width, height }) {
  const [x0, y0, x1, y1] = crop;
  const line = Math.max(1, Math.round(Math.min(width, height) / 200));
  const picture = drawn("svg", { viewBox: `${x0} ${y0} ${x1 - x0} ${y1 - y0}`, role: "img", "aria-label": `The frame in ${ratio}` });
  const image = drawn("image", { x: 0, y: 0, width, height, preserveAspectRatio: "none" });
  images.push(image);
  // A drawing in the drawing cuts off what is outside the crop, whatever shape the page gives it.
  const inside = drawn("svg", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, viewBox: `${x0} ${y0} ${x1 - x0} ${y1 - y0}` });
  inside.append(image, ...covered.map((each) => box("over", each, line)), box("seen", label, line));
  picture.append(hatch(line * 8), inside);
  const item = document.createElement("li");
  const words = document.createElement("p");
  const chip = document.createElement("span");
  chip.className = `chip ${clear ? "good" : whole ? "warn" : "bad"}`;
  chip.textContent = clear ? "label clear" : whole ? "partly covered" : "label cut";
  words.append(`${ratio} `, chip);
  item.append(picture, words);
  list.append(item);
}

async function begin() {
  const viewing = await openViewing(place.dataset.project, "draft", place.dataset.draft);
  const { label, framings } = await get(`${place.dataset.base}?w=${viewing.width}&h=${viewing.height}`);
  for (const each of framings) show(each, label, viewing);
  const turn = () => {
    const source = viewing.src(Number(slider.value), { side: "after", width: 1280 });
    for (const image of images) image.setAttribute("href", source);
  };
  slider.addEventListener("change", turn);
  turn();
  status.textContent = "The yellow box is where the label lies.";
}

begin().catch((error) => { status.textContent = error.message; });
