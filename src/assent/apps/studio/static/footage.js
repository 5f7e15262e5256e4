// Sends a film to the studio and has it looked through; a cut connection goes on where it stopped.

import { post } from "/static/page.js";
import { send } from "/studio/static/upload.js";

const form = document.getElementById("upload");
const drop = document.getElementById("drop");
const file = document.getElementById("file");
const state = document.getElementById("state");
const sent = document.getElementById("sent");

for (const kind of ["dragover", "dragenter"]) {
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const kind of ["dragleave", "drop"]) {
  drop.addEventListener(kind, () => drop.classList.remove("over"));
}
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
});

// Before this script is there, the form would send itself without the film.
document.getElementById("send").disabled = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const people = [...form.querySelectorAll("[name=people]:checked")].map((each) => each.value);
  if (!people.length) {
    state.textContent = "Say who is in it.";
    form.querySelector("[name=people]").focus();
    return;
  }
  const button = document.getElementById("send");
  button.disabled = true;
  sent.hidden = false;
  state.textContent = "Sending …";
  const { project } = form.dataset;
  try {
    const upload = await send(project, file.files[0], {
      onProgress: (done, all) => { sent.value = all ? done / all : 1; },
    });
    await post(`/studio/p/${project}/footage`, {
      upload, people, rights: form.elements.rights.value, bystanders: form.elements.bystanders.value,
    });
    location.reload();
  } catch (error) {
    state.textContent = error.message;
    button.disabled = false;
  }
});
