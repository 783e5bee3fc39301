"use strict";
// Keeps what a page shows of long work up to date. Only what has changed is replaced, so that nobody loses the keyboard or hears
// the same twice; while the server does not answer, it says so and asks more and more rarely.

const PAUSES = [1000, 2000, 4000, 8000, 15000, 30000];
const PATIENCE = 15000;
const title = document.title.replace(/^\d+ % · /, "");
let missed = 0;

function plan() {
  if (document.querySelector("[data-poll]")) setTimeout(look, PAUSES[Math.min(missed, PAUSES.length - 1)]);
}

async function look() {
  const shown = document.querySelector("[data-poll]");
  if (!shown) return;
  try {
    const fresh = await ask(shown);
    missed = 0;
    if (fresh) show(shown, fresh);
  } catch {
    missed += 1;
    tell(shown);
  }
  plan();
}

async function ask(shown) {
  const answer = await fetch(shown.dataset.poll, {
    headers: { "HX-Request": "true", "HX-Request-Type": "partial" },
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.status >= 500) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = answer.ok && !answer.redirected && page.getElementById(shown.id);
  // Whoever has to log in again, or may not see it any more, is told so by the page itself.
  if (!fresh) location.reload();
  return fresh;
}

function show(shown, fresh) {
  document.title = fresh.dataset.poll && fresh.dataset.percent ? `${fresh.dataset.percent} % · ${title}` : title;
  if (fresh.dataset.shape === shown.dataset.shape) {
    for (const part of fresh.querySelectorAll("[data-part]")) {
      document.getElementById(part.id)?.replaceChildren(...part.childNodes);
    }
    for (const place of shown.querySelectorAll("[data-offline]")) place.textContent = "";
    return;
  }
  const held = shown.contains(document.activeElement);
  shown.replaceWith(fresh);
  window.htmx?.process(fresh);
  if (held) fresh.querySelector("[data-heading]")?.focus({ preventScroll: true });
  const live = document.getElementById("announcer");
  if (live && fresh.dataset.announce) live.textContent = fresh.dataset.announce;
}

function tell(shown) {
  for (const place of shown.querySelectorAll("[data-offline]")) {
    if (place.textContent !== place.dataset.offline) place.textContent = place.dataset.offline;
  }
}

plan();
