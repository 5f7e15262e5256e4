// The signature under a record or a decision: bind the key, sign what the studio shows, send it.

import {
  createFileKey, createPasskey, hasFileKeys, hasPasskeys, readFileKey, signText, usePasskey,
} from "./keys.js";
import { post, problem, words } from "./page.js";

const section = document.getElementById("signing");
const state = document.getElementById("signstate");
const at = (id) => document.getElementById(id);

let made = null;
let bound = null;

// What is decided, where there is something to decide: it goes into what is signed.
const decision = document.getElementById("decision");
decision?.addEventListener("submit", (event) => event.preventDefault());

async function attempt(button, act) {
  if (decision && !decision.reportValidity()) return;
  button.disabled = true;
  state.textContent = words.working;
  try {
    const done = await act();
    state.textContent = "";
    if (done?.next) location.assign(done.next);
  } catch (error) {
    const left = ["NotAllowedError", "AbortError"].includes(error.name);
    state.textContent = left ? words.cancelled : problem(error);
  }
  button.disabled = false;
}

// The studio refuses if it would have something else signed than this page shows.
const bind = (data = {}) => post(section.dataset.bind, {
  ...(decision ? Object.fromEntries(new FormData(decision)) : {}),
  ...data,
  shown: section.dataset.shown,
});

async function byPasskey() {
  if (!bound && section.dataset.known === "none") {
    bound = await bind({ passkey: await createPasskey(section.dataset.new) });
  }
  // If the browser wants another press for the second step, the next one begins here.
  bound ??= await bind();
  const signed = await usePasskey(bound.options);
  bound = null;
  return post(section.dataset.sign, signed);
}

async function byNewFile() {
  const asked = await bind({ jwk: made.jwk });
  return post(section.dataset.sign, await signText(made.privateKey, asked.text));
}

async function byKnownFile() {
  const file = at("keyfile").files[0];
  if (!file) return null;
  const { privateKey } = await readFileKey(file);
  const asked = await bind();
  return post(section.dataset.sign, await signText(privateKey, asked.text));
}

async function offerFile() {
  made = await createFileKey();
  at("savefile").href = URL.createObjectURL(made.file);
  at("filesteps").hidden = false;
  at("makefile").hidden = true;
  at("savefile").focus();
}

async function offer() {
  const known = section.dataset.known;
  const passkeys = hasPasskeys(section);
  const files = await hasFileKeys();
  if (!passkeys) at("by-passkey").hidden = true;
  if (!files) at("by-file").hidden = true;
  const works = { none: passkeys || files, passkey: passkeys, file: files };
  if (!works[known]) state.textContent = words.support;
}

function listen() {
  at("passkey").addEventListener("click", () => attempt(at("passkey"), byPasskey));
  at("passkey").disabled = false;
  if (section.dataset.known === "file") {
    at("filesign").addEventListener("click", () => attempt(at("filesign"), byKnownFile));
    at("filesign").disabled = false;
    return;
  }
  at("makefile").addEventListener("click", () => attempt(at("makefile"), offerFile));
  at("makefile").disabled = false;
  at("saved").addEventListener("change", () => { at("filesign").disabled = !at("saved").checked; });
  at("filesign").addEventListener("click", () => attempt(at("filesign"), byNewFile));
}

if (section) {
  listen();
  offer();
}
