// A page that tells of jobs follows them. What came of one is shown as soon as it is over, unless
// somebody is filling in a form here: that would be lost.

import { told, watch } from "/studio/static/jobs.js";

const OVER = new Set(["done", "failed", "cancelled"]);
let touched = false;
for (const name of ["input", "change", "drop"]) {
  document.addEventListener(name, () => { touched = true; });
}

for (const place of document.querySelectorAll("[data-follows]")) {
  watch(place.dataset.follows, (job) => {
    if (OVER.has(job.state)) {
      if (touched) place.querySelector("[data-over]").hidden = false;
      else location.reload();
      return;
    }
    place.querySelector("[data-told]").textContent = told(job) || job.state;
    if (job.share !== null) place.querySelector("progress").value = job.share;
  });
}
