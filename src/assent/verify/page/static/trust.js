// Trust bundles: checked here anew, so that the page need not believe who serves it its bundles.
// The format is that of docs/specs/trust-bundle.md.

const text = new TextEncoder();
const AHEAD_MS = 24 * 3600 * 1000;

export class Refused extends Error {}

const refuse = (why) => { throw new Refused(why); };

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
}

function bytesOfUrl(base64) {
  return bytesOf(base64.replace(/-/g, "+").replace(/_/g, "/"));
}

function sha256(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return crypto.subtle.digest("SHA-256", whole).then((hash) => new Uint8Array(hash));
}

const same = (a, b) => a.length === b.length && a.every((each, i) => each === b[i]);

async function signedBy(raw, signature, message) {
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

// Returns what a compact JWS says if the key (32 bytes) signed it as this kind.
async function opened(token, raw, kind) {
  const parts = token.trim().split(".");
  if (parts.length !== 3) refuse("it is no signed text");
  const header = JSON.parse(new TextDecoder().decode(bytesOfUrl(parts[0])));
  if (header.typ !== kind || !["Ed25519", "EdDSA"].includes(header.alg)) refuse("it is signed as something else");
  const good = await signedBy(raw, bytesOfUrl(parts[2]), text.encode(`${parts[0]}.${parts[1]}`));
  if (!good) refuse("its signature doesn't fit");
  return JSON.parse(new TextDecoder().decode(bytesOfUrl(parts[1])));
}

function peeked(token) {
  return JSON.parse(new TextDecoder().decode(bytesOfUrl(token.trim().split(".")[1] ?? "")));
}

// Returns origin, size and root of a checkpoint that the key signed.
async function checkpointOf(note, vkey) {
  const [, name, id, encoded] = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim()) ?? refuse("its key is none");
  const key = bytesOf(encoded);
  const keyId = (await sha256(text.encode(`${name}\n`), key)).slice(0, 4);
  if (key[0] !== 1 || key.length !== 33 || !same(keyId, Uint8Array.from(id.match(/../g), (b) => parseInt(b, 16)))) refuse("its key is none");
  const end = note.lastIndexOf("\n\n");
  const body = note.slice(0, end + 1);
  const line = note.slice(end + 2).split("\n").find((each) => {
    const [dash, who, signature] = each.split(" ");
    return dash === "\u2014" && who === name && same(bytesOf(signature).slice(0, 4), keyId);
  });
  if (end < 0 || !line) refuse("the log did not sign its checkpoint");
  const signature = bytesOf(line.split(" ")[2]).slice(4);
  if (!await signedBy(key.slice(1), signature, text.encode(body))) refuse("the signature of the checkpoint doesn't fit");
  const [origin, size, root] = body.split("\n");
  if (origin !== name || !/^(0|[1-9]\d{0,15})$/.test(size)) refuse("the checkpoint is of another log");
  return { origin, size: Number(size), root: bytesOf(root) };
}

// Returns the entries with their indices, and the size and root of the tree that they make.
async function provenEntries(items) {
  const entries = [];
  const stack = [];
  let size = 0;
  for (const item of items) {
    let height = 0;
    let hash;
    if (typeof item === "string") {
      entries.push([size, JSON.parse(item)]);
      hash = await sha256(Uint8Array.of(0), text.encode(item));
    } else {
      [height, hash] = [item[0], bytesOf(item[1])];
      if (!Number.isInteger(height) || height < 0 || height > 39 || hash.length !== 32 || size % 2 ** height) refuse("a subtree is out of place");
    }
    size += 2 ** height;
    while (stack.length && stack.at(-1)[0] === height) {
      hash = await sha256(Uint8Array.of(1), stack.pop()[1], hash);
      height += 1;
    }
    stack.push([height, hash]);
  }
  let root = stack.pop()?.[1] ?? new Uint8Array();
  while (stack.length) root = await sha256(Uint8Array.of(1), stack.pop()[1], root);
  return { entries, size, root };
}

// Returns the bits of the status lists, by the lists' ids.
async function statusLists(tokens, entries, key) {
  const newest = new Map();
  for (const [, entry] of entries) if (entry.kind === "status.list") newest.set(String(entry.list), entry);
  const lists = new Map();
  for (const [number, token] of Object.entries(tokens)) {
    const noted = newest.get(number) ?? refuse("the log names no such status list");
    const list = await opened(token, key, "vc+jwt");
    const hash = Array.from(await sha256(text.encode(token)), (b) => b.toString(16).padStart(2, "0")).join("");
    if (list.version < noted.version || (list.version === noted.version && hash !== noted.sha256)) refuse("a status list is older than the log says");
    const packed = bytesOfUrl(list.credentialSubject.encodedList.slice(1));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bits = new Uint8Array(await new Response(stream).arrayBuffer());
    if (bits.length !== 16384) refuse("a status list has another length");
    lists.set(list.id, { bits, version: list.version });
  }
  return lists;
}

// Returns which releases were taken back and stay so, by asset id.
function endedIn(entries) {
  const order = ["revoked", "taken-down", "suspended", "corrected"];
  const ended = new Map();
  for (const [, entry] of entries) {
    const known = ended.get(entry.asset);
    if (entry.kind === "release.ended" && order.includes(entry.how)) {
      if (!known || order.indexOf(entry.how) < order.indexOf(known.how)) ended.set(entry.asset, entry);
    } else if (entry.kind === "release.restored" && known?.how !== "revoked") ended.delete(entry.asset);
  }
  return ended;
}

// Returns what a trust bundle tells, once all of it has been checked; throws `Refused`.
export async function openBundle(token) {
  try {
    const claimed = peeked(token);
    if (claimed.format !== "assent-trust-bundle" || claimed.version !== 1) refuse("it is of another version");
    const state = await checkpointOf(claimed.checkpoint, claimed.vkey);
    const { entries, size, root } = await provenEntries(claimed.entries);
    if (size !== state.size || !same(root, state.root)) refuse("its entries are not those of its checkpoint");
    const studio = entries[0]?.[0] === 0 ? entries[0][1] : refuse("it does not begin with its studio");
    if (studio.kind !== "studio" || studio.signing_key?.crv !== "Ed25519") refuse("it does not begin with its studio");
    const key = bytesOfUrl(studio.signing_key.x);
    const payload = await opened(token, key, "assent-trust+jwt");
    if (!(Date.parse(payload.issued) <= Date.now() + AHEAD_MS)) refuse("it claims to be from the future");
    const of = (kind) => entries.filter(([, entry]) => entry.kind === kind);
    return {
      studio: studio.name,
      origin: state.origin,
      vkey: payload.vkey,
      issued: payload.issued,
      size,
      unseen: size - entries.length,
      roots: [studio.c2pa_root, ...[...of("credentials.changed"), ...of("credentials.clock")].map(([, entry]) => entry.root)].join(""),
      serials: new Set([studio.c2pa_serial, ...of("credentials.changed").map(([, entry]) => entry.serial)]),
      revoked: new Map(of("credentials.revoked").map(([index, entry]) => [entry.serial, { index, time: entry.time }]).reverse()),
      key,
      seals: of("seal").map(([index, entry]) => ({ index, ...entry })),
      granted: new Set(of("consent.granted").map(([, entry]) => entry.receipt)),
      withdrawn: new Map(of("consent.withdrawn").map(([, entry]) => [entry.receipt, entry.time])),
      ended: endedIn(entries),
      lists: await statusLists(payload.status_lists, entries, key),
    };
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused("it lacks its parts");
  }
}

// Returns what the status list says of a receipt, or null if the bundle's studio didn't sign it.
export async function standingOf(token, bundle, today) {
  let credential;
  try {
    credential = await opened(token, bundle.key, "vc+jwt");
  } catch {
    return null;
  }
  const status = credential.credentialStatus ?? {};
  const list = bundle.lists.get(status.statusListCredential);
  const index = Number(status.statusListIndex);
  if (!list || !Number.isInteger(index) || index < 0 || index >= 131072) return null;
  if ((list.bits[index >> 3] >> (7 - (index & 7))) & 1) return { stands: false, says: "It has ended: it was withdrawn, or its term is over and its key was destroyed." };
  if (String(credential.validUntil).slice(0, 10) < today) return { stands: false, says: "Its term is over." };
  if (String(credential.validFrom).slice(0, 10) > today) return { stands: false, says: "Its term hasn't begun." };
  return { stands: true, says: "It stands." };
}
