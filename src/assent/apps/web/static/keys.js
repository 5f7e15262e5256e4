// Keys: a passkey where the browser has one, else an Ed25519 key in a file.

import { decode, encode, post } from "./page.js";

export function hasPasskeys(section) {
  return Boolean(window.PublicKeyCredential) && section.dataset.passkeys === "yes";
}

export async function hasFileKeys() {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

export async function createPasskey(path) {
  return createPasskeyFrom(await post(path));
}

export async function createPasskeyFrom(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
    },
  });
  return {
    id: made.id,
    rawId: encode(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: encode(made.response.clientDataJSON),
      attestationObject: encode(made.response.attestationObject),
    },
  };
}

export async function usePasskey(options) {
  const given = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: (options.allowCredentials || []).map(
        (each) => ({ ...each, id: decode(each.id) }),
      ),
    },
  });
  return {
    id: given.id,
    authenticatorData: encode(given.response.authenticatorData),
    clientDataJSON: encode(given.response.clientDataJSON),
    signature: encode(given.response.signature),
  };
}

export async function createFileKey() {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const lines = btoa(String.fromCharCode(...bytes)).match(/.{1,64}/g).join("\n");
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`;
  return {
    jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x },
    privateKey: pair.privateKey,
    file: new Blob([pem], { type: "application/x-pem-file" }),
  };
}

export async function readFileKey(file) {
  const text = await file.text();
  const body = text.replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  const privateKey = await crypto.subtle.importKey("pkcs8", bytes, "Ed25519", true, ["sign"]);
  const { kty, crv, x } = await crypto.subtle.exportKey("jwk", privateKey);
  return { privateKey, jwk: { kty, crv, x } };
}

export async function signText(privateKey, text) {
  const signed = await crypto.subtle.sign("Ed25519", privateKey, new TextEncoder().encode(text));
  return { signature: encode(signed) };
}
