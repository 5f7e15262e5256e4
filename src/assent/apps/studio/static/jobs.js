// How far jobs are, live: one connection for all tabs of a browser, the drawer, the page of jobs.

const CHANNEL = new BroadcastChannel("assent-jobs");
const listeners = new Set();
const known = new Map();

function hear(job) {
  const before = known.get(job.id);
  if (before && before.changed > job.changed) return;
  known.set(job.id, job);
  for (const [id, onJob] of listeners) if (id === null || id === job.id) onJob(job);
}

let leads = false;
CHANNEL.addEventListener("message", ({ data }) => {
  if (data.id) hear(data);
  else if (leads) for (const job of known.values()) CHANNEL.postMessage(job);
});
CHANNEL.postMessage({ hello: true });

function listen() {
  const events = new EventSource("/studio/events");
  events.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    CHANNEL.postMessage(job);
    hear(job);
  });
  // A cut line is taken up by the browser itself; a refusal, as of too many windows, is not.
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 30000);
  });
}

// The tab that holds the lock listens for all: a browser has few connections to one place.
navigator.locks.request("assent-jobs", () => new Promise(() => {
  leads = true;
  listen();
}));

/** Call `onJob` with each change of a job, or of all that concern us; returns what ends it. */
export function watch(jobId, onJob) {
  const listener = [jobId, onJob];
  listeners.add(listener);
  if (jobId !== null) look(jobId).then((job) => job && hear(job));
  return () => listeners.delete(listener);
}

async function look(jobId) {
  const answer = await fetch(`/studio/jobs/${jobId}`, { headers: { accept: "application/json" } });
  return answer.ok ? answer.json() : null;
}

export function lasting(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

/** What a job says of itself in one line. */
export function told(job) {
  if (job.state === "running") {
    const wish = { cancel: "is being cancelled", pause: "is being paused" }[job.wish];
    return [wish ?? (job.message || "begins"), wish ? "" : lasting(job.seconds_left)]
      .filter(Boolean).join(" · ");
  }
  if (job.state === "failed") return `${job.error} ${job.advice ?? ""}`;
  return "";
}

const OVER = new Set(["done", "failed", "cancelled"]);

// The drawer, on every page that has one.
const drawer = document.getElementById("jobs-drawer");
if (drawer) {
  const alive = () => [...known.values()].filter((job) => !OVER.has(job.state))
    .sort((a, b) => (b.state === "running") - (a.state === "running"));
  const draw = () => {
    const jobs = alive();
    drawer.hidden = jobs.length === 0;
    const running = jobs.filter((job) => job.state === "running");
    const share = running.find((job) => job.share !== null)?.share;
    drawer.querySelector("summary").textContent =
      `${jobs.length} ${jobs.length === 1 ? "job" : "jobs"}`
      + (share === undefined ? "" : ` · ${Math.round(share * 100)} %`);
    drawer.querySelector("ul").replaceChildren(...jobs.slice(0, 6).map(line));
  };
  const line = (job) => {
    const item = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = drawer.dataset[job.kind] ?? job.kind;
    const word = document.createElement("small");
    word.textContent = job.state === "running" ? told(job) : job.state;
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", name.textContent);
    bar.max = 1;
    if (job.state !== "running" || job.share !== null) bar.value = job.share ?? 0;
    if (job.state === "running") item.append(name, bar, word);
    else item.append(name, word);
    return item;
  };
  watch(null, draw);
}

// The page of jobs: what is shown changes; what begins, ends or moves is shown anew.
const page = document.getElementById("jobs-page");
if (page) {
  let waiting = 0;
  const again = () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const answer = await fetch(location.href);
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const focus = document.activeElement?.id;
      page.replaceChildren(...fresh.getElementById("jobs-page").childNodes);
      if (focus) document.getElementById(focus)?.focus();
    }, 400);
  };
  watch(null, (job) => {
    const item = document.getElementById(`job-${job.id}`);
    if (!item || item.dataset.state !== job.state || (item.dataset.wish || null) !== job.wish) {
      again();
      return;
    }
    item.querySelector("[data-told]").textContent = told(job);
    const bar = item.querySelector("progress");
    if (bar && job.share !== null) bar.value = job.share;
  });
}
