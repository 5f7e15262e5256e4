// What the pages' scripts share: requests that carry the session's token, words, base64url.

const csrf = document.querySelector('meta[name="csrf"]').content;
const found = document.getElementById("words");

export const words = found ? JSON.parse(found.textContent) : {};

export class Refused extends Error {}

async function answer(response) {
  let told = {};
  try {
    told = await response.json();
  } catch {
    // A proxy may have answered in our place.
  }
  if (!response.ok) throw new Refused(told.error || String(response.status));
  return told;
}

export async function post(path, data) {
  return answer(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF": csrf },
    body: JSON.stringify(data ?? {}),
  }));
}

export async function send(path, blob) {
  return answer(await fetch(path, {
    method: "POST",
    headers: {
      "Content-Type": blob.type.split(";")[0] || "video/webm",
      Accept: "application/json",
      "X-CSRF": csrf,
    },
    body: blob,
  }));
}

export async function get(path) {
  return answer(await fetch(path, { headers: { Accept: "application/json" } }));
}

export function encode(buffer) {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function decode(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function problem(error) {
  return words.problem.replace("%s", error.message);
}
