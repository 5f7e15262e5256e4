// The wizard of a new project: what the rules say of each answer, while it is being filled in.

const form = document.getElementById("brief");
const at = (id) => document.getElementById(id);
let waiting = 0;
let asked = 0;

function lineOf(ruling) {
  const line = document.createElement("li");
  line.className = ruling.effect;
  const word = document.createElement("strong");
  word.textContent = `${ruling.word}. `;
  const source = document.createElement("span");
  source.className = "quiet";
  source.textContent = ` ${ruling.source}${ruling.begins ? `, from ${ruling.begins}` : ""}`;
  line.append(word, ruling.text, source);
  return line;
}

function show(said) {
  const kinds = { low: "good", medium: "warn" };
  at("level").className = `chip ${said.refusal ? "bad" : kinds[said.level] ?? "bad"}`;
  at("level").textContent = said.refusal ? "Refused"
    : said.level ? `${said.level[0].toUpperCase()}${said.level.slice(1)} risk` : "Can't be read yet";
  at("refusal").textContent = said.refusal ?? said.problem ?? "";
  at("demands").replaceChildren(...(said.demands ?? []).map((each) => {
    const line = document.createElement("li");
    line.textContent = each;
    return line;
  }));
  at("count").textContent = `${said.rulings.length} ${said.rulings.length === 1 ? "rule" : "rules"} in all`;
  at("rulings").replaceChildren(...said.rulings.map(lineOf));
  for (const question of document.querySelectorAll("[data-question]")) {
    const own = said.rulings.filter((each) => each.answers.includes(question.dataset.question));
    question.querySelector(".set-off").replaceChildren(...own.map(lineOf));
  }
}

async function judge() {
  asked += 1;
  const number = asked;
  const response = await fetch(form.dataset.judge, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams(new FormData(form)),
  });
  // An answer that was overtaken by a newer one is of no interest.
  if (response.ok && number === asked) show(await response.json());
}

function soon(delay) {
  clearTimeout(waiting);
  waiting = setTimeout(judge, delay);
}

form.addEventListener("input", () => soon(350));
form.addEventListener("change", () => soon(0));

const more = at("more-claims");
more.hidden = false;
more.addEventListener("click", () => {
  const rows = document.querySelectorAll(".claim");
  const row = rows[0].cloneNode(true);
  const number = rows.length + 1;
  for (const [place, name, text] of [[0, "claim", "Claim"], [1, "source", "Its source"]]) {
    const field = row.children[place];
    field.querySelector("label").htmlFor = `${name}-${number}`;
    if (place === 0) field.querySelector("label").textContent = `${text} ${number}`;
    field.querySelector("input").id = `${name}-${number}`;
    field.querySelector("input").value = "";
  }
  at("claims").append(row);
  row.querySelector("input").focus();
});
