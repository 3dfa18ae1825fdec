// What the page does beyond links and forms: search as you type, keys, copying. It works without.
"use strict";
const field = document.querySelector("input[type=search]");
const results = document.getElementById("results");
let waiting = 0, latest = 0;

async function look() {
  const asked = ++latest;
  const query = new URLSearchParams(new FormData(field.form));
  const answer = await fetch("/?" + query, { headers: { "x-part": "results" } });
  if (!answer.ok || asked !== latest) return;
  results.innerHTML = await answer.text();
  waiting = 0;
  history.replaceState(null, "", "/?" + query);
}

if (field && results) {
  field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(look, 180); });
  if (!matchMedia("(pointer: coarse)").matches) { field.focus(); field.setSelectionRange(field.value.length, field.value.length); }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = "copied";
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "Escape") {
    if (event.target === field && field.value && results) { field.value = ""; look(); }
    document.activeElement.blur();
    return;
  }
  if (event.target === field && results && (event.key === "ArrowDown" || event.key === "Enter")) {
    const first = document.querySelector("main h2 a, ul.rows a");
    if (first && !waiting) { event.preventDefault(); first.focus(); }
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...document.querySelectorAll("main h2 a, ul.rows a, .turn h3 a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "/" && field) { event.preventDefault(); field.focus(); field.select(); }
  else if (event.key === "/") { event.preventDefault(); location.href = "/"; }
  else if ((event.key === "j" || event.key === "ArrowDown") && links.length) { event.preventDefault(); links[Math.min(at + 1, links.length - 1)].focus(); }
  else if (event.key === "k" || event.key === "ArrowUp") {
    event.preventDefault();
    if (at > 0) links[at - 1].focus(); else if (field) field.focus(); else if (links.length) links[0].focus();
  }
  else if (event.key === "t") location.href = "/days";
  else if (event.key === "p") location.href = "/projects";
  else if (event.key === "h") location.href = "/health";
});

const here = document.querySelector(".turn.here");
if (here) here.scrollIntoView({ block: "center" });
async function renew() {
  const every = 1000 * Number(document.body.dataset.refresh);
  if (!document.hidden) {
    const answer = await fetch(location.href).catch(() => null);
    if (answer && answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      document.body.dataset.refresh = fresh.body.dataset.refresh || "15";
    }
  }
  setTimeout(renew, every);
}
if (document.body.dataset.refresh) setTimeout(renew, 1000 * Number(document.body.dataset.refresh));
