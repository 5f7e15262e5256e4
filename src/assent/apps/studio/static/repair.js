// The repair editor: a document of corrections, and the frame that they make, seen again at once.
import { post } from "/static/page.js";
import { LANES, drawLanes, shown, told as summary } from "./repair-lanes.js";
import { LANDMARKS, keyAt, shapeAt, strokesAt, thinned, toChart } from "./repair-shapes.js";
import { makeStage } from "./repair-stage.js";

const $ = (id) => document.getElementById(id);
const bench = $("bench");
const csrf = document.querySelector('meta[name="csrf"]').content;
const state = {
  doc: null, saved: "", version: 0, past: [], future: [], frame: 0, tool: "look",
  chosen: { shapes: -1, masks: -1 }, landmark: 57, mesh: null, brush: null, asked: 0, path: null,
};
let opened;
const { draw } = makeStage($("over"), { state, opened: () => opened, move, stroke, go });

function tell(text, kind = "") {
  const told = $("told");
  told.textContent = text;
  told.className = `notice ${kind}`;
  told.hidden = !text;
}

async function begin() {
  try {
    opened = await post(`${bench.dataset.at}/begin`);
  } catch (error) {
    tell(error.message, "bad");
    return;
  }
  take(opened);
  $("at").max = opened.frames - 1;
  for (const name of ["first", "last", "skip-first", "skip-last"]) $(name).max = opened.frames - 1;
  for (const [first, last, name] of LANDMARKS) {
    const group = document.createElement("optgroup");
    group.label = name;
    for (let number = first; number <= last; number += 1) group.append(new Option(`${name} ${number - first + 1}`, number));
    $("landmark").append(group);
  }
  $("landmark").value = state.landmark;
  const own = opened.tracks.find((track) => track.person === opened.performer);
  await go(own ? Math.floor((own.first + own.last) / 2) : 0);
  bench.removeAttribute("aria-busy");
  bench.inert = false;
}

function take(told) {
  state.doc = told.repairs;
  state.saved = JSON.stringify(told.repairs);
  state.version = told.version;
  state.past = [];
  state.future = [];
  state.chosen = { shapes: told.repairs.shapes.length - 1, masks: told.repairs.masks.length - 1 };
  $("older").disabled = !told.back;
  $("newer").disabled = !told.forth;
  $("version").textContent = told.version ? `Version ${told.version} holds.` : "Nothing is corrected yet.";
}

// Every change goes through here, so that it can be taken back.
function change(act, { quietly = false } = {}) {
  const before = JSON.stringify(state.doc);
  act(state.doc);
  if (JSON.stringify(state.doc) === before) return;
  state.past.push(before);
  if (state.past.length > 200) state.past.shift();
  state.future = [];
  tell("");
  refresh(quietly ? 250 : 0);
}

function travel(from, to) {
  if (!from.length) return;
  to.push(JSON.stringify(state.doc));
  state.doc = JSON.parse(from.pop());
  for (const kind of ["shapes", "masks"]) state.chosen[kind] = Math.min(state.chosen[kind], state.doc[kind].length - 1);
  refresh(0);
}

let waiting;
function refresh(pause) {
  show();
  clearTimeout(waiting);
  waiting = setTimeout(look, pause);
}

async function go(frame) {
  state.frame = Math.max(0, Math.min(opened.frames - 1, frame));
  $("at").value = state.frame;
  refresh(60);
}

async function look() {
  const asked = (state.asked += 1);
  $("wait").hidden = false;
  const body = { number: state.frame, repairs: state.doc, width: Math.min(1280, Math.round($("stage").clientWidth * devicePixelRatio)), before: $("before").checked };
  try {
    const response = await fetch(`${bench.dataset.at}/${opened.viewing}/frame`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF": csrf },
      body: JSON.stringify(body),
    });
    if (response.status === 404) {
      opened.viewing = (await post(`${bench.dataset.at}/begin`)).viewing;
      look();
      return;
    }
    if (!response.ok) throw new Error((await response.json()).error);
    const picture = await createImageBitmap(await response.blob());
    const mesh = await post(`${bench.dataset.at}/${opened.viewing}/mesh`, { number: body.number, repairs: body.repairs });
    if (asked !== state.asked) return;
    for (const canvas of [$("picture"), $("over")]) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    $("picture").getContext("2d").drawImage(picture, 0, 0);
    state.mesh = mesh.points ? mesh : null;
    draw();
  } catch (error) {
    if (asked === state.asked) tell(error.message, "bad");
  } finally {
    if (asked === state.asked) $("wait").hidden = true;
  }
}

const kind = () => (state.tool === "brush" ? "masks" : "shapes");
const made = { shapes: shapeAt, masks: strokesAt };

function chosen() {
  return state.doc[kind()][state.chosen[kind()]];
}

// The correction that a change in this frame belongs to; a new one if none is near.
function current(doc) {
  const list = doc[kind()];
  const near = (each) => state.frame >= each.first - 50 && state.frame <= each.last + 50;
  let number = state.chosen[kind()];
  if (!list[number] || !near(list[number])) number = list.findLastIndex(near);
  if (number < 0) {
    const empty = kind() === "masks" ? { strokes: [] } : { x: 0, y: 0, turn: 0, scale: 1000, points: {} };
    const [first, last] = [Math.max(0, state.frame - 4), Math.min(opened.frames - 1, state.frame + 4)];
    list.push({ first, last, ease: 3, blend: "linear", keys: [{ frame: state.frame, ...empty }] });
    number = list.length - 1;
  }
  state.chosen[kind()] = number;
  return keyAt(list[number], state.frame, made[kind()]);
}

const within = (value, least, most) => Math.min(most, Math.max(least, Math.round(value)));

// Pixels of the frame to thousandths of the face, as it is turned.
function inFace(x, y) {
  const [[a, b], [c, d]] = state.mesh.unit;
  return [1000 * (a * x + b * y), 1000 * (c * x + d * y)];
}

function move(x, y) {
  if (!state.mesh) return;
  const [right, down] = inFace(x, y);
  change((doc) => {
    const key = current(doc);
    if (state.tool === "face") {
      key.x = within(key.x + right, -1000, 1000);
      key.y = within(key.y + down, -1000, 1000);
    } else {
      const [was, is] = key.points[state.landmark] || [0, 0];
      key.points[state.landmark] = [within(was + right, -1000, 1000), within(is + down, -1000, 1000)];
    }
  }, { quietly: true });
}

function stroke(path) {
  if (!state.mesh) return;
  const places = path.map(([x, y]) => toChart(x, y, state.mesh.points, opened.chart)).filter(Boolean);
  if (!places.length) return;
  const mode = document.querySelector("[name=mode]:checked").value;
  change((doc) => {
    const key = current(doc);
    if (key.strokes.length >= 200) key.strokes.shift();
    key.strokes.push({ mode, points: thinned(places, 200), size: Number($("size").value), soft: Number($("soft").value), fill: $("fill").checked });
  });
}

function show() {
  const dirty = JSON.stringify(state.doc) !== state.saved;
  $("undo").disabled = !state.past.length;
  $("redo").disabled = !state.future.length;
  $("save").disabled = !dirty;
  if ($("render")) $("render").disabled = false;
  $("where").textContent = `Frame ${state.frame} of ${opened.frames - 1}, ${opened.seconds[state.frame].toFixed(2)} s`;
  for (const part of document.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(state.tool);
  const repair = chosen();
  $("current").textContent = repair
    ? `${repair.keys.length} keyframe(s), from frame ${repair.first} to ${repair.last}.`
    : "None yet: it begins with your first change.";
  for (const name of ["first", "last", "blend", "ease"]) {
    $(name).disabled = !repair;
    if (repair && document.activeElement !== $(name)) $(name).value = repair[name];
  }
  for (const name of ["drop", "drop-key", "copy-key", "previous-key", "next-key"]) $(name).disabled = !repair;
  for (const input of document.querySelectorAll("[data-setting]")) input.value = state.doc.settings[input.dataset.setting] ?? "";
  warnings();
  faces();
  skips();
  lanes();
}

// What speaks against the corner that the label lies in.
let warned;
function warnings() {
  const corner = state.doc.settings.label;
  if (corner === warned) return;
  warned = corner;
  $("label-warnings").replaceChildren(...opened.label[corner].map((text) => item(text)));
}

function item(text, ...parts) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("span"), { textContent: text }), ...parts);
  return line;
}

function faces() {
  const here = opened.tracks.map((track, number) => ({ ...track, number })).filter((t) => t.first <= state.frame && state.frame <= t.last);
  $("faces").replaceChildren(...here.map((track) => {
    const choice = document.createElement("select");
    choice.setAttribute("aria-label", `Whose face is number ${track.number + 1}`);
    choice.append(...opened.people.map((person) => new Option(person, person)));
    const given = state.doc.owners.findLast((each) => each.track === track.number && each.first <= state.frame && state.frame <= each.last);
    choice.value = given ? given.person : track.person;
    choice.addEventListener("change", () => change((doc) => {
      doc.owners = doc.owners.filter((each) => each !== given && JSON.stringify(each) !== JSON.stringify(given));
      if (choice.value !== track.person) doc.owners.push({ track: track.number, first: track.first, last: track.last, person: choice.value });
    }));
    return item(`Face ${track.number + 1}, frames ${track.first} to ${track.last}`, choice);
  }));
  if (!here.length) $("faces").append(item("Nobody was found in this frame."));
}

function skips() {
  $("skips").replaceChildren(...state.doc.skips.map((span, number) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Replace again" });
    button.addEventListener("click", () => change((doc) => doc.skips.splice(number, 1)));
    return item(`Frames ${span.first} to ${span.last}`, button);
  }));
  if (document.activeElement !== $("skip-first")) $("skip-first").value = state.frame;
  if (document.activeElement !== $("skip-last")) $("skip-last").value = state.frame;
}

const span = () => shown(state.frame, opened.frames, Number($("window").value));

function lanes() {
  $("lanes").replaceChildren(...drawLanes(state.doc, state.frame, state.chosen, span()));
  $("summary").textContent = summary(state.doc);
}

$("lanes").addEventListener("click", (event) => {
  const box = $("lanes").getBoundingClientRect();
  const [first, wide] = span();
  const frame = Math.floor(first + ((event.clientX - box.left) / box.width) * wide);
  const lane = LANES[Math.floor(((event.clientY - box.top) / box.height) * 150 / 37)];
  const found = lane ? state.doc[lane[0]].findLastIndex((each) => each.first <= frame && frame <= each.last) : -1;
  if (found >= 0 && lane[0] in state.chosen) state.chosen[lane[0]] = found;
  go(frame);
});

for (const input of document.querySelectorAll("[name=tool]")) {
  input.addEventListener("change", () => { state.tool = input.value; show(); draw(); });
}
for (const button of document.querySelectorAll("[data-move]")) {
  const [x, y] = button.dataset.move.split(" ").map(Number);
  button.addEventListener("click", () => move((x * opened.width) / 480, (y * opened.width) / 480));
}
function whole(name, by, least, most) {
  if (!state.mesh) return;
  change((doc) => { const key = current(doc); key[name] = within(key[name] + by, least, most); }, { quietly: true });
}
for (const button of document.querySelectorAll("[data-turn]")) button.addEventListener("click", () => whole("turn", Number(button.dataset.turn), -9000, 9000));
for (const button of document.querySelectorAll("[data-scale]")) button.addEventListener("click", () => whole("scale", Number(button.dataset.scale), 500, 2000));
for (const input of document.querySelectorAll("[data-setting]")) {
  input.addEventListener("input", () => change((doc) => {
    doc.settings[input.dataset.setting] = input.tagName === "SELECT" ? input.value || null : Number(input.value);
  }, { quietly: input.tagName !== "SELECT" }));
}
$("landmark").addEventListener("change", () => { state.landmark = Number($("landmark").value); draw(); });
$("at").addEventListener("input", () => go(Number($("at").value)));
$("earlier").addEventListener("click", () => go(state.frame - 1));
$("later").addEventListener("click", () => go(state.frame + 1));
$("before").addEventListener("change", () => refresh(0));
$("window").addEventListener("change", lanes);
$("undo").addEventListener("click", () => travel(state.past, state.future));
$("redo").addEventListener("click", () => travel(state.future, state.past));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  if (event.shiftKey) travel(state.future, state.past);
  else travel(state.past, state.future);
});

for (const name of ["first", "last", "ease"]) {
  $(name).addEventListener("change", () => change(() => {
    const repair = chosen();
    const frames = repair.keys.map((key) => key.frame);
    const value = within(Number($(name).value) || 0, 0, name === "ease" ? 250 : opened.frames - 1);
    repair[name] = name === "first" ? Math.min(value, frames[0]) : name === "last" ? Math.max(value, frames.at(-1)) : value;
  }));
}
$("blend").addEventListener("change", () => change(() => { chosen().blend = $("blend").value; }));
$("previous-key").addEventListener("click", () => step(-1));
$("next-key").addEventListener("click", () => step(1));
function step(way) {
  const frames = chosen().keys.map((key) => key.frame);
  const found = way > 0 ? frames.find((each) => each > state.frame) : frames.findLast((each) => each < state.frame);
  if (found !== undefined) go(found);
}
$("copy-key").addEventListener("click", () => change(() => {
  const repair = chosen();
  const before = repair.keys.findLast((key) => key.frame < state.frame) || repair.keys[0];
  const key = keyAt(repair, state.frame, made[kind()]);
  Object.assign(key, structuredClone(before), { frame: state.frame });
}));
$("drop-key").addEventListener("click", () => change((doc) => {
  const repair = chosen();
  repair.keys = repair.keys.filter((key) => key.frame !== state.frame);
  if (!repair.keys.length) doc[kind()].splice(state.chosen[kind()], 1);
}));
$("drop").addEventListener("click", () => change((doc) => doc[kind()].splice(state.chosen[kind()], 1)));
$("lift").addEventListener("click", () => change(() => {
  const key = chosen()?.keys.find((each) => each.frame === state.frame);
  if (key) key.strokes.pop();
}));
$("skip").addEventListener("click", () => change((doc) => {
  const [first, last] = [Number($("skip-first").value), Number($("skip-last").value)];
  doc.skips.push({ first: Math.min(first, last), last: Math.max(first, last) });
}));

async function save() {
  const told = await post(`${bench.dataset.at}/keep`, { repairs: state.doc, expected: state.version });
  take(told);
  show();
}
async function doing(act, done) {
  tell("One moment…");
  try {
    await act();
    tell(done, "good");
  } catch (error) {
    tell(error.message, "bad");
  }
}
$("save").addEventListener("click", () => doing(save, "Saved."));
$("render")?.addEventListener("click", () => doing(async () => {
  if (JSON.stringify(state.doc) !== state.saved) await save();
  await post(`${bench.dataset.at}/render`);
}, "Saved; the clip is being rendered again. What didn't change is taken over."));
for (const [name, way] of [["older", "undo"], ["newer", "redo"]]) {
  $(name).addEventListener("click", () => doing(async () => {
    take(await post(`${bench.dataset.at}/${way}`, { expected: state.version }));
    refresh(0);
  }, "This version holds now."));
}
window.addEventListener("beforeunload", (event) => {
  if (state.doc && JSON.stringify(state.doc) !== state.saved) event.preventDefault();
});
begin();
