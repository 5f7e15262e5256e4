// Pictures of footage, models and drafts. A viewing is opened once and renews itself; of several
// pictures that are wanted quickly one after the other, one is on its way and the last is next.

import { post } from "/static/page.js";

const root = "/studio";

export async function openViewing(project, kind, id) {
  const opened = await post(`${root}/p/${project}/viewings`, { kind, id });
  return new Viewing(project, kind, id, opened);
}

class Viewing {
  constructor(project, kind, id, opened) {
    Object.assign(this, { project, kind, of: id }, opened);
  }

  // With `soon`, the server answers after a moment at the latest, with the picture or without.
  src(frame, { side = null, width = 960, fresh = "", soon = false } = {}) {
    const asked = new URLSearchParams({ w: String(Math.round(width)) });
    if (side) asked.set("side", side);
    if (fresh) asked.set("fresh", fresh);
    if (soon) asked.set("soon", "1");
    return `${root}/p/${this.project}/viewings/${this.id}/${frame}.jpg?${asked}`;
  }

  async renew() {
    const opened = await post(`${root}/p/${this.project}/viewings`, { kind: this.kind, id: this.of });
    Object.assign(this, opened);
  }

  // The number of the frame that is shown at a second.
  at(second) {
    let low = 0;
    let high = this.seconds.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.seconds[middle] <= second + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

// Shows frames in one <img>: `want` may be called as often as one likes. A frame that takes long is
// stood in for by one near it, unless this is `patient`.
export class Screen {
  constructor(image, viewing, { onShown = () => {}, onProblem = () => {}, patient = false } = {}) {
    Object.assign(this, { image, viewing, onShown, onProblem, patient });
    this.wanted = null;
    this.coming = null;
    this.shown = null;
  }

  want(frame, options = {}) {
    this.wanted = { frame, options, key: JSON.stringify([frame, options]) };
    if (!this.coming) this.#next();
  }

  get busy() {
    return Boolean(this.coming);
  }

  async #next() {
    try {
      while (this.wanted.key !== this.shown?.key) {
        this.coming = this.wanted;
        await this.#bring(this.coming);
      }
      this.coming = null;
    } catch (error) {
      this.coming = null;
      this.onProblem(error);
    }
  }

  // Ask for a frame until it is there, or another is wanted.
  async #bring(coming) {
    for (let tries = 0; this.wanted === coming; tries += 1) {
      // What is still not there after many tries will come late, or can't be decoded.
      const soon = !this.patient && tries < 80;
      const answer = await fetch(this.viewing.src(coming.frame, { ...coming.options, soon }), {
        headers: { Accept: "application/json" },
      });
      if (answer.status === 200) return this.#show(coming, await answer.blob());
      if (answer.status === 202) await this.#standIn(coming, (await answer.json()).near);
      else if (answer.status === 404 && tries < 3) await this.viewing.renew();
      else if (answer.status === 429 && tries < 9) await new Promise((done) => setTimeout(done, 1200));
      else throw new Error((await answer.json()).error);
    }
    return null;
  }

  async #show(what, picture, standsFor = null) {
    const before = this.image.src;
    this.image.src = URL.createObjectURL(picture);
    await this.image.decode();
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    this.shown = { ...what, key: standsFor ? null : what.key };
    this.image.hidden = false;
    this.image.dataset.frame = what.frame;
    this.image.toggleAttribute("data-near", Boolean(standsFor));
    this.image.setAttribute("aria-busy", String(Boolean(standsFor)));
    this.onShown(this.shown);
  }

  // Show a frame near the one that takes so long, if it is nearer than what is there.
  async #standIn(coming, near) {
    const { frame, options } = coming;
    const away = (other) => Math.abs(other - frame);
    if (near === null || near === frame) return;
    const same = JSON.stringify(options) === JSON.stringify(this.shown?.options);
    if (same && away(near) >= away(this.shown.frame)) return;
    const answer = await fetch(this.viewing.src(near, { ...options, soon: true }));
    if (answer.status === 200) await this.#show({ frame: near, options }, await answer.blob(), coming);
  }
}

// Loads small pictures when they come into sight, two at a time.
export function thumbnails(viewing, images, { side = null } = {}) {
  const waiting = [];
  let busy = 0;
  const next = () => {
    while (busy < 2 && waiting.length) {
      const image = waiting.shift();
      busy += 1;
      const done = () => {
        busy -= 1;
        next();
      };
      image.addEventListener("load", done, { once: true });
      image.addEventListener("error", done, { once: true });
      image.src = viewing.src(Number(image.dataset.frame), { side, width: 160 });
    }
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((each) => each.isIntersecting)) {
      seen.unobserve(entry.target);
      waiting.push(entry.target);
    }
    next();
  }, { rootMargin: "600px" });
  for (const image of images) seen.observe(image);
}
