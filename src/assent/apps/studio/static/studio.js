// On every page: the menu of narrow windows, dialogs, links to copy, forms that are sent once.

document.documentElement.classList.add("has-script");

const menu = document.getElementById("menu");
if (menu) {
  menu.hidden = false;
  menu.addEventListener("click", () => {
    const open = document.getElementById("links").classList.toggle("open");
    menu.setAttribute("aria-expanded", String(open));
  });
}

// What takes a script can't be pressed before there is one: the press would come to nothing.
for (const button of document.querySelectorAll("[data-opens], [data-copies]")) button.disabled = false;
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

for (const button of document.querySelectorAll("[data-copies]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    source.select();
    await navigator.clipboard.writeText(source.value);
    button.textContent = "Copied";
  });
}

// A second press while the first is on its way would do the same again.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
