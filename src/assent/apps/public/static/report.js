// Hashes a file on the visitor's own machine: of the file nothing leaves it but 64 digits, and those
// only with the form.

import { Sha256 } from "./sha256.js";

const picker = document.getElementById("hash-file");
const told = document.getElementById("hash-told");
const hashes = document.getElementById("hashes");
const words = document.getElementById("hash-words").dataset;

picker.closest("[hidden]").hidden = false;
picker.addEventListener("change", async () => {
  for (const file of picker.files) {
    const hash = new Sha256();
    const reader = file.stream().getReader();
    let done = 0;
    for (;;) {
      const piece = await reader.read();
      if (piece.done) break;
      hash.update(piece.value);
      done += piece.value.length;
      told.textContent = words.working.replace("#", String(Math.floor((100 * done) / file.size)));
    }
    const found = hash.hex();
    const known = hashes.value.split("\n").filter((line) => line.trim());
    if (!known.includes(found)) known.push(found);
    hashes.value = known.join("\n");
  }
  told.textContent = words.done.replace("#", String(picker.files.length));
  picker.value = "";
});
