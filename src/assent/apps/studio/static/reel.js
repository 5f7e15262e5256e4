// A few pictures that are shown one after the other, to and fro, until somebody holds them still.

const EACH_MS = 200;

/** Load frames of a viewing into `place`, and move; returns once all are there. */
export async function fill(place, viewing, frames, options) {
  const images = frames.map((frame) => {
    const image = new Image();
    image.alt = "";
    image.src = viewing.src(frame, options);
    return image;
  });
  for (const image of images) await image.decode();
  images.forEach((image, number) => { image.hidden = number > 0; });
  place.replaceChildren(...images);
  place.hidden = false;
}

export function move(place, button) {
  let turn = 0;
  let held = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const say = () => { button.textContent = held ? "Move" : "Hold still"; };
  button.addEventListener("click", () => { held = !held; say(); });
  button.hidden = false;
  say();
  setInterval(() => {
    const images = [...place.children];
    if (held || document.hidden || images.length < 2) return;
    turn = (turn + 1) % (2 * images.length - 2);
    const shown = turn < images.length ? turn : 2 * images.length - 2 - turn;
    images.forEach((image, number) => { image.hidden = number !== shown; });
  }, EACH_MS);
}
