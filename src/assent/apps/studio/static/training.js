// Draws how a model learns, while it does: the curve, how far it is, and a preview that moves.

import { get } from "/static/page.js";
import { told as say, watch } from "/studio/static/jobs.js";
import { openViewing } from "/studio/static/pictures.js";
import { fill, move } from "/studio/static/reel.js";

const OVER = new Set(["done", "failed", "cancelled"]);
const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function curve(box, losses) {
  const known = losses.filter(([, loss]) => Number.isFinite(loss));
  if (!known.length) {
    box.textContent = "No steps yet.";
    return;
  }
  const last = known.at(-1)[0];
  const first = known[0][0];
  const most = Math.max(...known.map(([, loss]) => loss)) * 1.05 || 1;
  const at = ([step, loss]) => `${(1000 * (step - first)) / Math.max(1, last - first)} ${300 - (300 * loss) / most}`;
  const near = Math.max(1, Math.round(known.length / 30));
  const mean = known.map(([step], n) => {
    const part = known.slice(Math.max(0, n - near), n + 1);
    return [step, part.reduce((sum, [, loss]) => sum + loss, 0) / part.length];
  });
  const svg = drawn("svg", { viewBox: "0 0 1000 300", preserveAspectRatio: "none", role: "img" });
  const title = drawn("title", {});
  title.textContent = `Loss from step ${first} to ${last}: ${known[0][1].toFixed(3)} at first, ${known.at(-1)[1].toFixed(3)} now`;
  svg.append(title);
  for (const y of [0, 75, 150, 225, 300]) svg.append(drawn("path", { d: `M0 ${y}H1000`, class: "grid" }));
  svg.append(drawn("path", { d: `M${known.map(at).join("L")}`, class: "loss" }));
  svg.append(drawn("path", { d: `M${mean.map(at).join("L")}`, class: "mean" }));
  box.replaceChildren(svg);
}

const learned = document.getElementById("learned");
if (learned) curve(learned, JSON.parse(document.getElementById("losses").textContent));

for (const card of document.querySelectorAll(".training")) follow(card);

// The curve and how far it is come with the job's own events; what was saved is asked for when it is.
function follow(card) {
  const { job, project } = card.dataset;
  const at = (name) => card.querySelector(name);
  const live = [];
  let now = JSON.parse(document.getElementById("now").textContent);
  let saved = null;
  const draw = () => {
    const known = modelOf(now)?.losses ?? [];
    const since = known.at(-1)?.[0] ?? 0;
    curve(at("[data-curve]"), [...known, ...live.filter(([step]) => step > since)]);
  };
  const preview = previewOf(card, project);
  draw();
  preview(modelOf(now));
  watch(job, async (told) => {
    if (OVER.has(told.state)) {
      location.reload();
      return;
    }
    const { iteration = null, loss = null } = told.details;
    if (loss !== null && live.at(-1)?.[0] !== iteration) live.push([iteration, loss]);
    at(".told").textContent = say(told) || told.state;
    if (told.share !== null) at("progress").value = told.share;
    draw();
    if (told.details.saved && told.details.saved !== saved) {
      saved = told.details.saved;
      now = await get(`/studio/p/${project}/training/state`);
      draw();
      preview(modelOf(now));
    }
  });
}

function modelOf(now) {
  return now.models.find((each) => each.state !== "ready") ?? null;
}

// Shows the newest preview; one that is asked for while another comes waits for it.
function previewOf(card, project) {
  const place = card.querySelector("[data-reel]");
  const state = card.querySelector("[data-previewstate]");
  let viewing = null;
  let shown = "";
  let coming = Promise.resolve();
  let moves = false;
  const show = async (model) => {
    if (model.version === shown) return;
    try {
      viewing ??= await openViewing(project, "model", model.id);
      const frames = Array.from({ length: viewing.frames }, (_, frame) => frame);
      await fill(place, viewing, frames.slice(frames.length > 1 ? 1 : 0), { width: 512, fresh: model.version });
      shown = model.version;
      state.textContent = `After ${model.iterations} steps: left as filmed, right as the model does it. These frames it hasn't learned from.`;
      if (!moves) move(place, card.querySelector("[data-hold]"));
      moves = true;
    } catch (error) {
      // A viewing lives for a quarter of an hour; the next save opens another.
      viewing = null;
      state.textContent = error.name === "EncodingError" ? "The preview comes with the next save." : error.message;
    }
  };
  return (model) => {
    if (place && model?.sheet) coming = coming.then(() => show(model));
  };
}
