// Sign in to one's own place: the key signs a challenge that is good for once.

import { hasFileKeys, hasPasskeys, readFileKey, signText, usePasskey } from "./keys.js";
import { post, problem, words } from "./page.js";

const section = document.getElementById("signing");
const state = document.getElementById("signstate");
const at = (id) => document.getElementById(id);

async function attempt(act) {
  state.textContent = words.working;
  try {
    const done = await act();
    state.textContent = "";
    if (done) location.assign(done.next);
  } catch (error) {
    state.textContent = error.name === "NotAllowedError" ? words.cancelled : problem(error);
  }
}

async function byPasskey() {
  const asked = await post("/signin/challenge", {});
  return post("/signin", { nonce: asked.nonce, ...(await usePasskey(asked.options)) });
}

async function byFile() {
  const file = at("keyfile").files[0];
  if (!file) return null;
  const { privateKey, jwk } = await readFileKey(file);
  const asked = await post("/signin/challenge", { jwk });
  return post("/signin", { nonce: asked.nonce, ...(await signText(privateKey, asked.text)) });
}

async function offer() {
  if (!hasPasskeys(section)) at("by-passkey").hidden = true;
  if (!(await hasFileKeys())) at("by-file").hidden = true;
}

at("passkey").addEventListener("click", () => attempt(byPasskey));
at("filesign").addEventListener("click", () => attempt(byFile));
for (const id of ["passkey", "filesign"]) at(id).disabled = false;
offer();
