// Sends a file piece by piece, and goes on where it stopped: after a cut of the line, of the server
// or of the browser. `send(project, file, {onProgress, signal})` gives the upload's id.

const PIECE = 4 << 20;
const WAITS = [1, 2, 4, 8, 15, 30];
const csrf = () => document.querySelector("meta[name=csrf]").content;

export class Refused extends Error {
  constructor(said) {
    super(said.error ?? "The studio refused the file.");
    this.advice = said.advice ?? "";
    this.status = said.status;
  }
}

async function ask(path, options = {}) {
  const answer = await fetch(path, {
    ...options,
    headers: { accept: "application/json", "x-csrf": csrf(), ...options.headers },
  });
  if (answer.ok) return answer.json();
  const said = await answer.json().catch(() => ({}));
  throw new Refused({ ...said, status: answer.status });
}

const placeOf = (project) => `/studio/p/${encodeURIComponent(project)}/uploads`;
const memoryOf = (project, file) =>
  `assent-upload ${project} ${file.name} ${file.size} ${file.lastModified}`;

async function found(project, file) {
  const id = localStorage.getItem(memoryOf(project, file));
  if (!id) return null;
  try {
    const upload = await ask(`${placeOf(project)}/${id}`);
    return upload.size === file.size ? upload : null;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

async function digest(data) {
  if (!crypto.subtle) return {};
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return { "x-sha256": Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("") };
}

const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); },
    { once: true });
});

async function sendPiece(place, file, offset, signal) {
  const data = await file.slice(offset, offset + PIECE).arrayBuffer();
  const said = await ask(`${place}/piece?offset=${offset}`, {
    method: "POST",
    body: data,
    headers: { "content-type": "application/octet-stream", ...await digest(data) },
    signal,
  });
  return said.offset;
}

/** Whether another try may succeed: the line was cut, the server is away, busy or elsewhere. */
const passing = (error) =>
  !(error instanceof Refused) || [408, 409, 422, 429, 500, 502, 503, 504].includes(error.status);

export async function send(project, file, { onProgress = () => {}, signal } = {}) {
  const upload = await found(project, file) ?? await ask(placeOf(project), {
    method: "POST",
    body: JSON.stringify({ name: file.name, size: file.size }),
    headers: { "content-type": "application/json" },
    signal,
  });
  localStorage.setItem(memoryOf(project, file), upload.id);
  const place = `${placeOf(project)}/${upload.id}`;
  let { offset } = upload;
  let tries = 0;
  onProgress({ sent: offset, size: file.size, waiting: 0 });
  while (offset < file.size) {
    try {
      offset = await sendPiece(place, file, offset, signal);
      tries = 0;
      onProgress({ sent: offset, size: file.size, waiting: 0 });
    } catch (error) {
      if (signal?.aborted || !passing(error) || tries > 40) throw error;
      const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
      tries += 1;
      onProgress({ sent: offset, size: file.size, waiting: seconds });
      await pause(seconds, signal);
      try {
        offset = (await ask(place, { signal })).offset;
      } catch (again) {
        if (signal?.aborted || !passing(again)) throw again;
      }
    }
  }
  localStorage.removeItem(memoryOf(project, file));
  return upload.id;
}

/** Have an upload taken in; gives the job. `wanted`: people, rights, bystanders. */
export function takeIn(project, uploadId, wanted) {
  return ask(`${placeOf(project)}/${uploadId}/ingest`, {
    method: "POST",
    body: JSON.stringify(wanted),
    headers: { "content-type": "application/json" },
  });
}
