// Looks at a draft frame by frame: wipe, side by side, before, after, mask; marks the worst places.

import { get } from "/static/page.js";
import { Screen, openViewing, thumbnails } from "/studio/static/pictures.js";

const player = document.getElementById("player");
if (player) begin();

async function begin() {
  const { project, draft } = player.dataset;
  const waiting = document.getElementById("waiting");
  try {
    const viewing = await openViewing(project, "draft", draft);
    new Player(viewing, waiting);
  } catch (error) {
    waiting.textContent = error.message;
  }
  // Nothing on it could be pressed to any purpose before.
  player.inert = false;
  try {
    report(await get(`/studio/p/${project}/drafts/${draft}/quality`));
  } catch (error) {
    document.getElementById("verdict").textContent = error.message;
  }
  document.getElementById("report").removeAttribute("aria-busy");
}

function clock(second) {
  const tenths = Math.round(second * 10);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}

class Player {
  constructor(viewing, waiting) {
    this.viewing = viewing;
    this.last = viewing.frames - 1;
    this.frame = 0;
    this.mode = "wipe";
    this.speed = 0;
    this.zoom = 1;
    this.middle = [0.5, 0.5];
    this.stage = document.getElementById("stage");
    this.layers = document.getElementById("layers");
    this.scrub = document.getElementById("scrub");
    this.time = document.getElementById("time");
    this.waiting = waiting;
    const told = {
      onShown: () => { waiting.hidden = true; },
      onProblem: (error) => { waiting.hidden = false; waiting.textContent = error.message; this.stop(); },
    };
    this.before = new Screen(document.getElementById("before"), viewing, told);
    this.after = new Screen(document.getElementById("after"), viewing, told);
    this.peek = new Screen(document.getElementById("peekimage"), viewing, { patient: true });
    this.layers.style.aspectRatio = `${viewing.width} / ${viewing.height}`;
    player.dataset.ready = "yes";
    this.listen();
    this.strip();
    this.show();
    document.addEventListener("seek", (event) => { this.stop(); this.go(event.detail); });
  }

  get width() {
    const across = this.layers.clientWidth / (this.mode === "beside" ? 2 : 1);
    return Math.min(1280, across * Math.min(devicePixelRatio, 2) * this.zoom);
  }

  // What each of the two pictures shows.
  sides() {
    return { wipe: ["before", "after"], beside: ["before", "after"], before: ["before", null],
      after: [null, "after"], mask: [null, "mask"] }[this.mode];
  }

  show() {
    const [left, right] = this.sides();
    if (left) this.before.want(this.frame, { side: left, width: this.width });
    if (right) this.after.want(this.frame, { side: right, width: this.width });
    this.scrub.value = String(this.frame);
    const said = `frame ${this.frame} of ${this.last}, ${clock(this.viewing.seconds[this.frame] ?? 0)}`;
    this.scrub.setAttribute("aria-valuetext", said);
    this.time.textContent = said;
    for (const each of document.querySelectorAll("#strip button")) {
      const mine = Number(each.dataset.from) <= this.frame && this.frame < Number(each.dataset.to);
      each.toggleAttribute("aria-current", mine);
    }
  }

  go(frame) {
    this.frame = Math.max(0, Math.min(this.last, Math.round(frame)));
    this.show();
  }

  choose(mode) {
    this.mode = mode;
    this.layers.className = `layers ${mode}`;
    document.getElementById("wiper").hidden = mode !== "wipe";
    document.getElementById("after").alt = mode === "mask"
      ? "What of the frame was changed" : "The frame as it was rendered";
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
    this.show();
  }

  // Plays by the clock: where pictures come too slowly, some are left out.
  play(speed) {
    const begins = this.viewing.seconds[this.frame];
    const started = performance.now();
    this.speed = speed;
    document.getElementById("play").textContent = speed ? "Stop" : "Play";
    if (!speed) return;
    const turn = () => {
      if (this.speed !== speed) return;
      const second = begins + (speed * (performance.now() - started)) / 1000;
      const frame = this.viewing.at(second);
      if (frame !== this.frame && !this.after.busy && !this.before.busy) this.go(frame);
      const over = speed > 0 ? frame >= this.last : second <= 0;
      if (over) this.stop();
      else requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
  }

  stop() {
    this.play(0);
  }

  magnify(factor) {
    this.zoom = Math.max(1, Math.min(4, this.zoom * factor));
    if (this.zoom === 1) this.middle = [0.5, 0.5];
    this.place();
    this.show();
  }

  move(across, down) {
    this.middle = [this.middle[0] + across / this.zoom, this.middle[1] + down / this.zoom];
    this.place();
  }

  place() {
    const edge = 0.5 / this.zoom;
    this.middle = this.middle.map((each) => Math.max(edge, Math.min(1 - edge, each)));
    const [x, y] = this.middle.map((each) => (0.5 - each) * 100);
    this.layers.style.transform = this.zoom === 1 ? "" : `scale(${this.zoom}) translate(${x}%, ${y}%)`;
  }

  listen() {
    const moves = {
      first: () => this.go(0), last: () => this.go(this.last), back: () => this.go(this.frame - 1),
      on: () => this.go(this.frame + 1), play: () => this.play(this.speed ? 0 : 1),
    };
    for (const button of document.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => {
        if (button.dataset.move !== "play") this.stop();
        moves[button.dataset.move]();
      });
    }
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => this.choose(button.dataset.mode));
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.magnify(button.dataset.zoom === "in" ? 2 : 0.5));
    }
    this.scrub.addEventListener("input", () => { this.stop(); this.go(Number(this.scrub.value)); });
    const wipe = document.getElementById("wipe");
    const wiped = () => this.layers.style.setProperty("--wipe", `${wipe.value}%`);
    wipe.addEventListener("input", wiped);
    wiped();
    document.addEventListener("keydown", (event) => this.key(event));
    this.drag(wipe, wiped);
    this.hover();
  }

  // On the picture, dragging moves the wipe, or what is seen of a picture that is zoomed.
  drag(wipe, wiped) {
    let from = null;
    this.stage.addEventListener("pointerdown", (event) => {
      from = [event.clientX, event.clientY];
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      const box = this.stage.getBoundingClientRect();
      if (this.zoom > 1) {
        this.move((from[0] - event.clientX) / box.width, (from[1] - event.clientY) / box.height);
        from = [event.clientX, event.clientY];
      } else if (this.mode === "wipe") {
        wipe.value = String((100 * (event.clientX - box.left)) / box.width);
        wiped();
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(end, () => { from = null; });
    }
  }

  hover() {
    const box = document.getElementById("peek");
    this.scrub.addEventListener("pointermove", (event) => {
      const line = this.scrub.getBoundingClientRect();
      const share = Math.max(0, Math.min(1, (event.clientX - line.left) / line.width));
      const frame = Math.round(share * this.last);
      box.hidden = false;
      box.style.left = `${Math.max(12, Math.min(88, share * 100))}%`;
      document.getElementById("peektime").textContent = clock(this.viewing.seconds[frame]);
      this.peek.want(frame, { side: "after", width: 160 });
    });
    this.scrub.addEventListener("pointerleave", () => { box.hidden = true; });
  }

  key(event) {
    const typing = event.target.matches("input:not([type=range]), textarea, select, summary");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.id === "wipe" && event.key.startsWith("Arrow")) return;
    const step = event.shiftKey ? 10 : 1;
    const faster = (way) => this.play(Math.sign(this.speed) === way ? Math.max(-8, Math.min(8, this.speed * 2)) : way);
    const keys = {
      ArrowLeft: () => { this.stop(); this.go(this.frame - step); },
      ArrowRight: () => { this.stop(); this.go(this.frame + step); },
      Home: () => { this.stop(); this.go(0); },
      End: () => { this.stop(); this.go(this.last); },
      j: () => faster(-1), k: () => this.stop(), l: () => faster(1),
      "+": () => this.magnify(2), "-": () => this.magnify(0.5), 0: () => this.magnify(1 / 4),
      w: () => this.move(0, -0.1), s: () => this.move(0, 0.1),
      a: () => this.move(-0.1, 0), d: () => this.move(0.1, 0),
    };
    ["wipe", "beside", "before", "after", "mask"].forEach((mode, n) => {
      keys[n + 1] = () => this.choose(mode);
    });
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  strip() {
    const list = document.getElementById("strip");
    const count = Math.min(8, this.last + 1);
    const images = [];
    for (let n = 0; n < count; n += 1) {
      const [from, to] = [n, n + 1].map((each) => Math.floor((each * (this.last + 1)) / count));
      const frame = Math.floor((from + to) / 2);
      const button = document.createElement("button");
      Object.assign(button.dataset, { from, to });
      button.type = "button";
      const image = document.createElement("img");
      image.alt = `Frame ${frame}, ${clock(this.viewing.seconds[frame])}`;
      image.dataset.frame = String(frame);
      image.style.aspectRatio = `${this.viewing.width} / ${this.viewing.height}`;
      button.append(image);
      button.addEventListener("click", () => { this.stop(); this.go(frame); });
      const item = document.createElement("li");
      item.append(button);
      list.append(item);
      images.push(image);
    }
    thumbnails(this.viewing, images, { side: "after" });
  }
}

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function report(told) {
  document.getElementById("verdict").textContent = told.verdict;
  places(told);
  sentences(told.advice);
  const rows = document.getElementById("rows");
  for (const [name, value] of told.rows) {
    const row = document.createElement("div");
    const [term, detail] = ["dt", "dd"].map((kind) => document.createElement(kind));
    term.textContent = name;
    detail.textContent = value;
    row.append(term, detail);
    rows.append(row);
  }
  document.getElementById("figures").hidden = false;
  marks(told);
  if (told.poses.length || told.donor.length) poses(told);
}

function places(told) {
  const box = document.getElementById("worst");
  if (!told.worst.length) return;
  const title = document.createElement("h3");
  title.textContent = "Look at these";
  const list = document.createElement("ol");
  list.className = "plain places";
  for (const worst of told.worst) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "place";
    const when = document.createElement("strong");
    when.textContent = clock(worst.seconds);
    button.append(when, ` ${worst.why}`);
    button.addEventListener("click", () => {
      document.dispatchEvent(new CustomEvent("seek", { detail: worst.number }));
    });
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
  }
  box.append(title, list);
}

function sentences(advice) {
  if (!advice.length) return;
  const title = document.createElement("h3");
  title.textContent = "Advice";
  const list = document.createElement("ul");
  for (const each of advice) {
    const item = document.createElement("li");
    item.textContent = each;
    list.append(item);
  }
  document.getElementById("advice").append(title, list);
}

// Above the scrub bar: how sure the engine is, over time, and a mark at each of the worst places.
function marks(told) {
  const svg = document.getElementById("marks");
  const last = Math.max(1, Number(player.dataset.frames) - 1);
  const ends = told.confidence.at(-1)?.[0] || 1;
  let path = "";
  for (const [second, value] of told.confidence) {
    if (value === null) continue;
    path += `${path ? "L" : "M"}${((1000 * second) / ends).toFixed(1)} ${(36 - 32 * value).toFixed(1)}`;
  }
  if (path) svg.append(drawn("path", { d: path, class: "sure" }));
  for (const worst of told.worst) {
    const x = (1000 * worst.number) / last;
    svg.append(drawn("path", { d: `M${x} 0V40`, class: "worst" }));
  }
}

function poses(told) {
  const figure = document.getElementById("poses");
  const svg = drawn("svg", { viewBox: "-64 -44 128 88", role: "img" });
  const title = drawn("title", {});
  title.textContent = "Turns of the head: the donor's pictures, and the performance in this draft.";
  svg.append(title);
  for (const x of [-60, -30, 0, 30, 60]) svg.append(drawn("path", { d: `M${x} -40V40`, class: "grid" }));
  for (const y of [-40, -20, 0, 20, 40]) svg.append(drawn("path", { d: `M-60 ${y}H60`, class: "grid" }));
  for (const [points, kind, r] of [[told.donor, "donor", 1.6], [told.poses, "here", 0.8]]) {
    for (const [yaw, pitch] of points) svg.append(drawn("circle", { cx: yaw, cy: pitch, r, class: kind }));
  }
  const caption = document.createElement("figcaption");
  caption.textContent = "Turns of the head, 60 degrees to each side, 40 up and down. "
    + "Large dots: the donor's pictures. Small dots: this performance.";
  figure.append(svg, caption);
  figure.hidden = false;
}
