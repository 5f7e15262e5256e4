// Leads to a record without a server's help: what was typed or pasted is an id, or a link with one.

const form = document.querySelector("[data-find]");

form?.addEventListener("submit", async (event) => {
  const typed = form.elements.id.value.trim().toLowerCase();
  const from = typed.includes("/r/") ? typed.split("/r/")[1].split(/[/?#]/)[0] : typed;
  const id = from.replace(/[\s:.-]/g, "");
  // A hash or the number of a sound is looked up by the server, where there is one.
  if (!/^[0-9a-f]{16}$/.test(id)) return;
  event.preventDefault();
  const known = await fetch(`${form.dataset.find}${id}/`, { method: "HEAD" }).catch(() => null);
  if (known?.ok) window.location.assign(`${form.dataset.find}${id}/`);
  else document.getElementById("find-problem").hidden = false;
});
