// Sends a file to be examined: first a place is asked for, then the file goes, then one waits.
// All that is shown is put in as text, never as markup.

const at = (id) => document.getElementById(id);
const drop = at("drop");
const words = drop.dataset;
const POLL_MS = 1000;
let sending = null;

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
at("stop").addEventListener("click", () => sending?.abort());

function tell(text, share) {
  at("status").textContent = text;
  at("progress").hidden = share === undefined;
  at("progress").value = share ?? 0;
  at("stop-place").hidden = share === undefined;
}

async function send(file) {
  if (!file || sending) return;
  if (file.size > Number(words.largest)) { tell(words.large); return; }
  try {
    const ticket = await seat(file);
    await put(file, ticket);
    await wait(ticket);
  } catch (error) {
    tell(error.told ?? words.failed);
  } finally {
    sending = null;
    at("file").value = "";
  }
}

function refused(status, after) {
  const texts = { 413: words.large, 429: words.often, 503: words.busy };
  const error = new Error("refused");
  error.told = texts[status] ?? words.failed;
  if (after) error.told += ` (${Math.ceil(after / 60)} min)`;
  return error;
}

async function seat(file) {
  const answer = await fetch(`${words.base}/verify/seat`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: file.name, size: file.size }),
  });
  if (!answer.ok) throw refused(answer.status, Number(answer.headers.get("Retry-After")));
  return (await answer.json()).ticket;
}

function put(file, ticket) {
  return new Promise((done, failed) => {
    sending = new XMLHttpRequest();
    sending.open("PUT", `${words.base}/verify/${ticket}/file`);
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.upload.onprogress = ({ loaded, total }) => tell(words.sending.replace("#", file.name), 100 * loaded / total);
    sending.onload = () => (sending.status === 202 ? done() : failed(refused(sending.status)));
    sending.onerror = sending.onabort = () => failed(refused(0));
    sending.send(file);
  });
}

async function wait(ticket) {
  for (;;) {
    const answer = await fetch(`${words.base}/verify/${ticket}/state`);
    if (!answer.ok) throw refused(answer.status);
    const { stage, ahead, percent } = await answer.json();
    if (stage === "done" || stage === "failed") {
      window.location.assign(`${words.here}/verify/${ticket}/`);
      return;
    }
    tell(ahead ? words.waiting.replace("#", ahead) : words.examining.replace("#", percent), ahead ? 0 : percent);
    at("stop-place").hidden = true;
    await new Promise((done) => { setTimeout(done, POLL_MS); });
  }
}
