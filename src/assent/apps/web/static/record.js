// The recording: camera on, words shown, recorder started, sentence read, head turned, sent.

import { get, post, problem, send, words } from "./page.js";

const at = (id) => document.getElementById(id);
const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
const KINDS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];
const BITS = 2_500_000;

let stream = null;
let challenge = null;

function show(...ids) {
  for (const id of ["open", "start", "read"]) at(id).hidden = !ids.includes(id);
}

function say(text, kind = "") {
  at("prompt").textContent = text;
  at("prompt").className = `prompt ${kind}`;
}

function tell(...lines) {
  const box = document.createElement("div");
  box.className = lines.length > 1 ? "problem" : "note";
  const first = document.createElement("p");
  first.textContent = lines[0];
  box.append(first);
  if (lines.length > 1) {
    const list = document.createElement("ul");
    for (const line of lines.slice(1)) {
      const item = document.createElement("li");
      item.textContent = line;
      list.append(item);
    }
    box.append(list);
  }
  at("result").replaceChildren(box);
}

async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
    tell(words.support);
    return;
  }
  at("open").disabled = true;
  at("result").replaceChildren();
  at("person").hidden = at("next").hidden = true;
  try {
    stream ??= await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
      audio: true,
    });
    at("camera").srcObject = stream;
    await at("camera").play();
    challenge = await post("/consent/challenge");
    at("sentence").textContent = challenge.sentence;
    show("start");
    at("start").focus();
  } catch (error) {
    const closed = ["NotAllowedError", "NotFoundError", "NotReadableError", "OverconstrainedError"];
    tell(closed.includes(error.name) ? words.camera : problem(error));
  }
  at("open").disabled = false;
}

async function record() {
  show();
  at("result").replaceChildren();
  const kind = KINDS.find((each) => MediaRecorder.isTypeSupported(each));
  const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: BITS });
  const pieces = [];
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  const started = new Promise((done) => { recorder.addEventListener("start", done, { once: true }); });
  const stopped = new Promise((done) => { recorder.addEventListener("stop", done, { once: true }); });
  try {
    recorder.start(1000);
    await started;
    const began = performance.now();
    const asked = await post("/consent/challenge/begin", { nonce: challenge.nonce });
    say(words.reading);
    show("read");
    await new Promise((done) => { at("read").addEventListener("click", done, { once: true }); });
    show();
    const prompts = [];
    for (const [index, turn] of asked.turns.entries()) {
      prompts.push(Math.round(performance.now() - began));
      say(words[turn], turn);
      // Two turns to one side look like two, not like one that lasts.
      await wait(0.75 * asked.pauses[index]);
      say("");
      await wait(asked.pauses[index] - (performance.now() - began - prompts[index]));
    }
    recorder.stop();
    await stopped;
    say(words.done);
    const path = `/consent/recording?nonce=${challenge.nonce}&prompts=${prompts.join(",")}`;
    await send(path, new Blob(pieces, { type: kind.split(";")[0] }));
    await judge();
  } catch (error) {
    if (recorder.state !== "inactive") recorder.stop();
    tell(problem(error));
    again();
  }
}

async function judge() {
  say("");
  tell(words.checking);
  let found = await get("/consent/recording");
  while (["arriving", "checking"].includes(found.state)) {
    await wait(700);
    found = await get("/consent/recording");
  }
  if (found.state === "passed") {
    pass();
    return;
  }
  tell(words.failed, ...found.told);
  at("person").hidden = !found.person;
  again();
}

function pass() {
  tell(words.passed);
  at("next").hidden = false;
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  again();
}

function again() {
  say("");
  at("sentence").textContent = words.hidden;
  at("open").textContent = words.again;
  at("open").className = at("next").hidden ? "main" : "";
  show("open");
}

at("open").addEventListener("click", openCamera);
at("start").addEventListener("click", record);
at("open").disabled = false;
if (at("recorder").dataset.state === "passed") pass();
if (at("recorder").dataset.state === "checking") judge();
