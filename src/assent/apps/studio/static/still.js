// Shows pictures that have one frame: a model's preview, faces in doubt.

import { openViewing } from "/studio/static/pictures.js";

for (const image of document.querySelectorAll("img.still[data-kind]")) show(image);

async function show(image) {
  try {
    const viewing = await openViewing(image.dataset.project, image.dataset.kind, image.dataset.id);
    image.width = viewing.width;
    image.height = viewing.height;
    image.src = viewing.src(0, { width: 1280 });
  } catch (error) {
    document.getElementById("stillstate").textContent = error.message;
  }
}
