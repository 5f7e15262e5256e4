// Passkeys of accounts: sign in with one, or make one.

import { createPasskeyFrom, usePasskey } from "/static/keys.js";
import { post } from "/static/page.js";

const root = "/studio";
const said = document.getElementById("said");

async function attempt(button, act) {
  button.disabled = true;
  said.textContent = "Your browser asks you now …";
  try {
    location.assign((await act()).next);
  } catch (error) {
    const left = ["NotAllowedError", "AbortError"].includes(error.name);
    said.textContent = left ? "Cancelled." : `That did not work: ${error.message}.`;
    button.disabled = false;
  }
}

async function signIn(next) {
  const asked = await post(`${root}/signin/challenge`);
  const given = await usePasskey(asked.options);
  return post(`${root}/signin/passkey`, { nonce: asked.nonce, next, ...given });
}

async function make() {
  const asked = await post(`${root}/you/passkey/offer`);
  const passkey = await createPasskeyFrom(asked.options);
  return post(`${root}/you/passkey`, { nonce: asked.nonce, passkey });
}

const entrance = document.getElementById("by-passkey");
const makes = document.getElementById("newpasskey");
if (window.PublicKeyCredential) {
  if (entrance) {
    const button = document.getElementById("passkey");
    entrance.hidden = false;
    button.addEventListener("click", () => attempt(button, () => signIn(entrance.dataset.next)));
  }
  makes?.addEventListener("click", () => attempt(makes, make));
  if (makes) makes.disabled = false;
} else if (makes) {
  makes.hidden = true;
}
