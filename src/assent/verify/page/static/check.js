// Works beside the page: hashes the file, reads its credential, looks it up in the bundles.

import init, { WasmReader } from "./c2pa.js";
import { Sha256 } from "./sha256.js";
import { openBundle, standingOf } from "./trust.js";

const WATERMARK = "org.assent.watermark.2";
const CHUNK = 4 << 20;
const LARGEST_RECEIPT = 1 << 20;
const PURPOSES = ["1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.8"].join("\n");

const ready = (async () => {
  const names = await (await fetch("bundles.json")).json();
  const [bundles] = await Promise.all([
    Promise.all(names.map(async (name) => openBundle(await (await fetch(name)).text()))),
    init({ module_or_path: "c2pa_bg.wasm" }),
  ]);
  return bundles;
})();

ready.then(
  (bundles) => postMessage({ ready: bundles.map(({ studio, origin, vkey, issued, size, unseen, seals }) => ({ studio, origin, vkey, issued, size, unseen, releases: seals.length })) }),
  (error) => postMessage({ failed: String(error.message ?? error) }),
);

onmessage = async ({ data: file }) => {
  try {
    const bundles = await ready;
    const receipt = await receiptIn(file);
    postMessage({ result: receipt ? await checkReceipt(receipt, file, bundles) : await checkFile(file, bundles) });
  } catch (error) {
    postMessage({ failed: String(error.message ?? error) });
  }
};

// Returns the receipt in a small text file, as it is or inside the copy that a subject keeps.
async function receiptIn(file) {
  if (file.size > LARGEST_RECEIPT) return null;
  let words = (await file.text()).trim();
  if (words.startsWith("{")) {
    try { words = String(JSON.parse(words).receipt ?? ""); } catch { return null; }
  }
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(words) ? words : null;
}

async function checkReceipt(token, file, bundles) {
  const today = new Date().toISOString().slice(0, 10);
  for (const bundle of bundles) {
    const standing = await standingOf(token, bundle, today);
    if (standing) {
      const layer = { name: "Status list", status: standing.stands ? "good" : "bad", says: standing.says, rests_on: `the status list of ${bundle.studio}, as of ${bundle.issued}` };
      return { file: file.name, size: file.size, verdict: standing.stands ? "receipt-stands" : "receipt-ended", tone: layer.status, summary: `A receipt of ${bundle.studio}. ${standing.says}`, hint: "", layers: [layer] };
    }
  }
  return { file: file.name, size: file.size, verdict: "unknown-receipt", tone: "unsure", summary: "A signed text, but no receipt of a studio that this page knows.", hint: "", layers: [] };
}

async function checkFile(file, bundles) {
  const sha256 = await hashOf(file);
  const credential = await credentialOf(file, bundles);
  const bundle = credential.bundle ?? bundles.find(({ seals }) => seals.some((seal) => seal.sha256 === sha256));
  const known = bundle?.seals.find((each) => each.sha256 === sha256);
  revoke(credential, known);
  const seal = known ?? (credential.state === "trusted" ? bundle.seals.findLast((each) => each.asset === credential.asset) : undefined);
  const ended = seal ? seal.receipts.map((each) => bundle.withdrawn.get(each)).filter(Boolean).sort() : [];
  const layers = [credentialLayer(credential, seal), logLayer(seal, bundle, sha256), consentLayer(seal, bundle, ended)];
  return { file: file.name, size: file.size, sha256, ...answer(credential, seal, bundle, sha256, ended), layers, as_of: bundle?.issued ?? null };
}

// A certificate that was revoked vouches only for bytes that the log held before.
function revoke(credential, known) {
  const revoked = credential.bundle?.revoked.get(credential.serial);
  if (!revoked || (known && known.index < revoked.index)) return;
  Object.assign(credential, { state: "invalid", revoked: true, bundle: undefined });
}

async function hashOf(file) {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += CHUNK) {
    hash.update(new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer()));
    postMessage({ progress: Math.min(1, (at + CHUNK) / file.size) });
  }
  return hash.hex();
}

async function typeOf(file) {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const word = (from, to) => String.fromCharCode(...head.slice(from, to));
  if (word(4, 8) === "ftyp") return word(8, 10) === "qt" ? "video/quicktime" : "video/mp4";
  if (word(1, 4) === "PNG") return "image/png";
  if (head[0] === 0xff && head[1] === 0xd8) return "image/jpeg";
  if (word(0, 4) === "RIFF" && word(8, 12) === "WAVE") return "audio/wav";
  return null;
}

// Reads the credential with one studio's root after the other, so that none speaks for another.
async function credentialOf(file, bundles) {
  const type = await typeOf(file);
  if (!type) return { state: "missing" };
  let found = { state: "missing" };
  for (const bundle of bundles) {
    found = await readWith(file, type, bundle.roots);
    if (found.state === "trusted" && bundle.serials.has(found.serial)) return { ...found, bundle };
    // A public root vouches for many: only the certificates that the log names are the studio's.
    if (found.state === "trusted") found.state = "valid";
    if (found.state === "missing") return found;
  }
  return found;
}

async function readWith(file, type, anchors) {
  const settings = {
    trust: { user_anchors: anchors, trust_config: PURPOSES },
    verify: { ocsp_fetch: false, remote_manifest_fetch: false, verify_trust: true },
  };
  let reader;
  try {
    reader = await WasmReader.fromBlob(type, file, JSON.stringify(settings));
  } catch (error) {
    const why = String(error.message ?? error);
    return /no claim|JumbfNotFound|no JUMBF/i.test(why) ? { state: "missing" } : { state: "invalid", why };
  }
  const store = JSON.parse(reader.json());
  reader.free();
  const manifest = store.manifests?.[store.active_manifest] ?? {};
  const failure = store.validation_results?.activeManifest?.failure?.[0];
  return {
    state: { Trusted: "trusted", Valid: "valid" }[store.validation_state] ?? "invalid",
    why: failure ? `${failure.code}: ${failure.explanation ?? ""}` : "damaged",
    issuer: manifest.signature_info?.issuer,
    serial: BigInt(manifest.signature_info?.cert_serial_number ?? 0).toString(16),
    asset: softBinding(manifest),
  };
}

function softBinding(manifest) {
  const bindings = (manifest.assertions ?? []).filter((each) => each.label.startsWith("c2pa.soft-binding") && each.data?.alg === WATERMARK);
  return bindings[0]?.data.blocks?.[0]?.value;
}

function credentialLayer({ state, why, issuer, bundle, asset, revoked }, seal) {
  const rests_on = "signatures in the file (C2PA), checked with the root named in the studio's log";
  const says = {
    trusted: `Signed by ${bundle?.studio}, unaltered since. Asset ${asset}${seal ? "." : ", of which the log knows nothing."}`,
    valid: `Signed by someone else, who calls themselves ${issuer ?? "nothing"}, and unaltered since. Whether that is true can't be told here.`,
    invalid: revoked ? "Signed with a certificate that the studio revoked, and not in the log before that." : `The file was altered after signing, or its signature is void: ${why}`,
    missing: "No content credential in the file; many platforms remove it.",
  }[state];
  const status = { trusted: seal ? "good" : "bad", valid: "unknown", invalid: "bad", missing: "missing" }[state];
  return { name: "Signed statement in the file", status, says, rests_on };
}

function logLayer(seal, bundle, sha256) {
  const name = "The studio's public log";
  if (!seal) return { name, status: "unknown", says: "Nothing leads from this file to an entry.", rests_on: "the trust bundles of this page" };
  const same = seal.sha256 === sha256 ? "exactly these bytes." : "the original; this file has other bytes.";
  return { name, status: "good", says: `Entry ${seal.index}, sealed ${seal.time}: ${same}`, rests_on: `checkpoint of ${bundle.origin} over ${bundle.size} entries, all hashed here` };
}

function consentLayer(seal, bundle, ended) {
  const name = "Consent of the people in it";
  if (!seal) return { name, status: "unknown", says: "Without a proven record there is no consent to look up.", rests_on: "the trust bundles of this page" };
  const rests_on = `consent entries of ${bundle.origin}, named by salted hashes, as of ${bundle.issued}${bundle.unseen ? `; ${bundle.unseen} entries are not in the bundle` : ""}`;
  if (ended.length) return { name, status: "bad", says: `Consent was withdrawn on ${ended[0]}; this video should no longer be shown.`, rests_on };
  if (!seal.receipts.length || seal.receipts.some((each) => !bundle.granted.has(each))) return { name, status: "bad", says: "The log does not hold every consent that the record names.", rests_on };
  return { name, status: "good", says: `${seal.receipts.length} consent receipt(s), none withdrawn as of this page's copy of the log.`, rests_on };
}

function takenBack({ how, time, successor }, studio) {
  const says = {
    revoked: `${studio} has revoked this release and no longer vouches for it`,
    "taken-down": `${studio} has taken this release down`,
    suspended: `${studio} has suspended this release while a report is looked into`,
    corrected: `${studio} has put a corrected release in its place`,
  }[how] ?? `${studio} has taken this release back`;
  return ` ${says}${successor ? ` (asset ${successor})` : ""}, on ${time}.`;
}

function answer({ state, bundle: signer }, seal, bundle, sha256, ended) {
  const back = seal ? bundle.ended.get(seal.asset) : undefined;
  const gone = (ended.length ? " Consent has since been withdrawn." : "") + (back ? takenBack(back, bundle.studio) : "");
  const asset_id = seal?.asset ?? null;
  if (seal && seal.sha256 === sha256) {
    return { verdict: "sealed", asset_id, tone: gone ? "bad" : "good", summary: `A release of ${bundle.studio}, unaltered (asset ${seal.asset}). It shows a face replaced with AI, with the consent of the people in it.${gone}`, hint: "What the video shows did not happen like this: a face was replaced." };
  }
  if (signer) {
    return { verdict: "contradiction", asset_id, tone: "bad", summary: `Signed by ${signer.studio}, but its log doesn't know these bytes: ask ${signer.studio}.`, hint: "" };
  }
  if (state === "invalid") {
    return { verdict: "altered", asset_id: null, tone: "bad", summary: "It carries a signed statement that doesn't fit it: something was changed after it was signed.", hint: "Ask whoever gave you the file for the original." };
  }
  const summary = state === "valid" ? "Signed by somebody whom this page doesn't know; no release of a studio that it knows." : "Nothing of a studio that this page knows was found in the file. That proves nothing: it may be genuine, or made or altered by others.";
  return { verdict: "nothing-found", asset_id: null, tone: "", summary, hint: "The watermark isn't looked for in the browser: `assent verify` reads it from copies that lost their signed statement." };
}
