// Somebody who will sign for the studio makes their key here; only its public half is sent.

import { createFileKey, hasFileKeys } from "/static/keys.js";
import { post } from "/static/page.js";

const at = (id) => document.getElementById(id);
let made = null;

at("makefile").addEventListener("click", async () => {
  const handle = at("f-handle");
  const name = at("f-name");
  if (!name.reportValidity() || !handle.reportValidity()) return;
  if (!(await hasFileKeys())) {
    at("said").textContent = "This browser can't make this kind of key.";
    return;
  }
  made = await createFileKey();
  at("savefile").href = URL.createObjectURL(made.file);
  at("savefile").download = `${handle.value}.pem`;
  at("filesteps").hidden = false;
  at("makefile").hidden = true;
  at("savefile").focus();
});

// What only this script can do is offered once it is there: a press before would come to nothing.
at("makefile").disabled = false;

at("saved").addEventListener("change", () => { at("add").disabled = !at("saved").checked; });

at("add").addEventListener("click", async () => {
  at("add").disabled = true;
  try {
    const done = await post("/studio/staff", {
      jwk: made.jwk, handle: at("f-handle").value, name: at("f-name").value,
    });
    location.assign(done.next);
  } catch (error) {
    at("said").textContent = `That did not work: ${error.message}.`;
    at("add").disabled = false;
  }
});
