// What the visitor sees. All that comes from files or bundles is put in as text, never as markup.

const at = (id) => document.getElementById(id);
const STATES = { good: "good", missing: "missing", bad: "bad", unknown: "can't say" };
const worker = new Worker("check.js", { type: "module" });
let busy = false;
let link = null;

worker.onmessage = ({ data }) => {
  if (data.ready) showStudios(data.ready);
  else if ("progress" in data) at("progress").value = data.progress;
  else finish(data);
};
worker.onerror = () => finish({ failed: "this browser can't run the check" });

at("file").addEventListener("change", () => check(at("file").files[0]));
const drop = at("drop");
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  check(event.dataTransfer.files[0]);
});
if (navigator.serviceWorker) navigator.serviceWorker.register("offline.js").catch(() => {});

function check(file) {
  if (!file || busy) return;
  busy = true;
  at("result").hidden = true;
  at("progress").hidden = false;
  at("progress").value = 0;
  at("status").textContent = `Checking ${file.name} on your machine…`;
  worker.postMessage(file);
}

function finish(data) {
  busy = false;
  at("progress").hidden = true;
  at("file").value = "";
  if (data.failed) {
    at("status").textContent = `The check failed: ${data.failed}. Nothing was found out about the file.`;
    return;
  }
  at("status").textContent = "Done.";
  show(data.result);
}

function element(tag, words, ...classes) {
  const made = document.createElement(tag);
  made.textContent = words;
  made.classList.add(...classes.filter(Boolean));
  return made;
}

function fact(name, words, code = false) {
  const row = document.createElement("div");
  const value = document.createElement("dd");
  value.append(code ? element("code", words) : words);
  row.append(element("dt", name), value);
  return row;
}

function show(result) {
  at("name").textContent = result.file;
  at("answer").className = `answer ${result.tone}`;
  at("summary").textContent = result.summary;
  at("hint").textContent = result.hint;
  at("layers").replaceChildren(...result.layers.map(layerOf));
  const checked = `${new Date().toISOString().slice(0, 19)}Z`;
  at("facts").replaceChildren(
    ...(result.sha256 ? [fact("SHA-256", result.sha256, true)] : []),
    fact("Size", `${result.size.toLocaleString("en")} bytes`),
    fact("Checked", `${checked}, in this browser`),
  );
  if (link) URL.revokeObjectURL(link);
  const { tone, hint, ...kept } = result;
  const page = { format: "assent-verification-page", version: 1, checked, ...kept };
  link = URL.createObjectURL(new Blob([JSON.stringify(page, null, 2)], { type: "application/json" }));
  at("save").href = link;
  at("result").hidden = false;
  at("name").focus();
}

function layerOf(layer) {
  const item = document.createElement("li");
  const head = document.createElement("div");
  head.className = "head";
  head.append(element("h3", layer.name), " ", element("span", STATES[layer.status], "state", layer.status));
  item.append(head, element("p", layer.says), element("p", `Rests on: ${layer.rests_on}`, "quiet"));
  return item;
}

function showStudios(studios) {
  at("whose").textContent = studios.map((each) => each.studio).join(", ");
  at("studios").replaceChildren(...studios.map((each) => {
    const row = fact(each.studio, `${each.releases} release${each.releases === 1 ? "" : "s"}, ${each.size} entries in its log, as of ${each.issued}. Its log's key, to compare with what the studio publishes elsewhere: `);
    row.lastChild.append(element("code", each.vkey));
    return row;
  }));
  document.body.dataset.ready = "yes";
}
