// Looks through a clip as it was filmed, frame by frame.

import { Screen, openViewing, thumbnails } from "/studio/static/pictures.js";

const player = document.getElementById("clip");
if (player) begin();

async function begin() {
  const waiting = document.getElementById("waiting");
  try {
    const viewing = await openViewing(player.dataset.project, "clip", player.dataset.clip);
    watch(viewing, waiting);
  } catch (error) {
    waiting.textContent = error.message;
  }
}

function watch(viewing, waiting) {
  const layers = document.getElementById("layers");
  const scrub = document.getElementById("scrub");
  const time = document.getElementById("time");
  const last = viewing.frames - 1;
  layers.style.aspectRatio = `${viewing.width} / ${viewing.height}`;
  const screen = new Screen(document.getElementById("before"), viewing, {
    onShown: () => { waiting.hidden = true; },
    onProblem: (error) => { waiting.hidden = false; waiting.textContent = error.message; },
  });
  scrub.max = String(last);
  player.dataset.ready = "yes";
  let frame = 0;
  const go = (wanted) => {
    frame = Math.max(0, Math.min(last, wanted));
    screen.want(frame, { width: Math.min(1280, layers.clientWidth * Math.min(devicePixelRatio, 2)) });
    scrub.value = String(frame);
    const said = `frame ${frame} of ${last}, ${viewing.seconds[frame].toFixed(2)} s`;
    time.textContent = said;
    scrub.setAttribute("aria-valuetext", said);
  };
  scrub.addEventListener("input", () => go(Number(scrub.value)));
  document.getElementById("stage").addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    const keys = { ArrowLeft: frame - step, ArrowRight: frame + step, Home: 0, End: last };
    if (!(event.key in keys)) return;
    event.preventDefault();
    go(keys[event.key]);
  });
  strip(viewing, last, go);
  go(0);
}

function strip(viewing, last, go) {
  const list = document.getElementById("strip");
  const images = [];
  const count = Math.min(8, last + 1);
  for (let n = 0; n < count; n += 1) {
    const frame = Math.floor(((n + 0.5) * (last + 1)) / count);
    const button = document.createElement("button");
    button.type = "button";
    const image = document.createElement("img");
    image.alt = `Frame ${frame}, ${viewing.seconds[frame].toFixed(1)} s`;
    image.dataset.frame = String(frame);
    image.style.aspectRatio = `${viewing.width} / ${viewing.height}`;
    button.append(image);
    button.addEventListener("click", () => go(frame));
    button.addEventListener("pointerenter", () => go(frame));
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
    images.push(image);
  }
  thumbnails(viewing, images);
}
