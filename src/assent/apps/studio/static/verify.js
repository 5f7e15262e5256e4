// Sends a file to be examined: first a place, then the file, then one waits for the answer.

import { get, post } from "/static/page.js";

const at = (id) => document.getElementById(id);
const drop = at("drop");
const csrf = document.querySelector('meta[name="csrf"]').content;
const POLL_MS = 1000;
let busy = false;

at("file").addEventListener("change", () => send(at("file").files[0]));
at("file").disabled = false;
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  send(event.dataTransfer.files[0]);
});

function tell(text, share) {
  at("status").textContent = text;
  at("progress").hidden = share === undefined;
  at("progress").value = share ?? 0;
}

async function send(file) {
  if (!file || busy) return;
  busy = true;
  try {
    const { ticket } = await post("/studio/verify", { name: file.name, size: file.size });
    await put(file, ticket);
    await wait(ticket);
  } catch (error) {
    tell(error.message || "The file could not be examined.");
  } finally {
    busy = false;
    at("file").value = "";
  }
}

function put(file, ticket) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/studio/verify/${ticket}/file`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF", csrf);
    request.upload.onprogress = ({ loaded, total }) => tell(`Sending ${file.name}`, 100 * loaded / total);
    request.onload = () => (request.status === 200 ? done() : failed(new Error("The file could not be sent.")));
    request.onerror = () => failed(new Error("The file could not be sent."));
    request.send(file);
  });
}

async function wait(ticket) {
  for (;;) {
    const { stage, ahead, percent } = await get(`/studio/verify/${ticket}/state`);
    if (stage === "done" || stage === "failed") {
      window.location.assign(`/studio/verify/${ticket}`);
      return;
    }
    tell(ahead ? `It waits; ${ahead} before it.` : "It is being examined.", ahead ? 0 : percent);
    await new Promise((done) => { setTimeout(done, POLL_MS); });
  }
}
