// Everything works without this file. It keeps the keyboard where it was and tells screen readers what changed.

// What had the keyboard and is gone, such as a button of a job that is over, leaves it to the heading.
let held = null;
document.addEventListener("htmx:before:swap", ({ detail }) => {
  const target = detail.ctx.target;
  held = target?.contains?.(document.activeElement) ? target.id : null;
});
document.addEventListener("htmx:after:swap", () => {
  if (held && document.activeElement === document.body) {
    document.getElementById(held)?.querySelector("[data-heading]")?.focus({ preventScroll: true });
  }
  held = null;
});

document.addEventListener("htmx:after:settle", (event) => {
  const live = document.getElementById("announcer");
  const changed = event.target instanceof Element && event.target.isConnected ? event.target : document;
  const told = changed.matches?.("[data-announce]") ? changed : changed.querySelector("[data-announce]");
  if (live && told && live.textContent !== told.dataset.announce) live.textContent = told.dataset.announce;
});

// A form that comes back goes on at what is wrong in it.
document.querySelector("main form [aria-invalid=true]")?.focus();

// What is typed into a quantity replaces what was there, also after it has been saved.
const selectQuantity = (field) => field.matches(".qty input[name=quantity]") && field.select();
document.addEventListener("focusin", ({ target }) => selectQuantity(target));
document.addEventListener("htmx:after:swap", () => selectQuantity(document.activeElement));

// On a phone the keyboard takes half of the screen: what is found shows above it.
const PHONE = "(max-width: 35.99rem) and (pointer: coarse)";

document.addEventListener("focusin", ({ target }) => {
  if (target.id === "search" && matchMedia(PHONE).matches) setTimeout(() => target.form.scrollIntoView({ block: "start" }));
});

// What asks for itself again says in a place of its own that nobody answers, and goes on. Whoever has to log in again, or may not
// see it any more, learns that from the page.
function reportOffline(polled) {
  const place = polled.querySelector?.("[data-offline]");
  if (place && place.textContent !== place.dataset.offline) place.textContent = place.dataset.offline;
  return Boolean(place);
}

// Nobody sees what changes in a hidden window.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.target.matches?.("[data-while-visible]")) event.preventDefault();
});

document.addEventListener("htmx:response:error", ({ target, detail }) => {
  if (!target.matches?.("[data-hx-trigger^=every]")) return;
  if (detail.ctx.response.status < 500) location.reload();
  else reportOffline(target);
});

// Without an answer nothing on the page changes, and that is told until there is one again.
document.addEventListener("htmx:error", ({ target, detail }) => {
  if (detail.ctx?.response || document.querySelector(".no-answer") || reportOffline(target)) return;
  document.getElementById("notices")?.append(document.getElementById("no-answer").content.cloneNode(true));
});

document.addEventListener("htmx:after:request", ({ detail }) => {
  document.querySelector(".no-answer")?.remove();
  if (detail?.ctx?.response?.status < 400) document.querySelector("#notices > .refusal")?.remove();
});

// A form of a page that is older than the session gets the token of the new one, and is sent again with it: what was refused was
// not carried out. Once, so that a browser that keeps no session does not go on for ever.
let submitted = null;
let refused = null;
let sentAgain = false;

document.addEventListener("submit", ({ target, submitter }) => (submitted = { form: target, button: submitter, again: sentAgain }), true);

document.addEventListener("inventory:token", ({ detail }) => {
  const headers = document.body.getAttributeNames().find((name) => name.startsWith("data-hx-headers"));
  document.body.setAttribute(headers, JSON.stringify({ "X-CSRFToken": detail.token }));
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = detail.token;
  if (submitted && !submitted.again) refused = submitted;
});

document.addEventListener("htmx:finally:request", () => {
  const { form, button } = refused || {};
  refused = null;
  if (!form) return;
  // A form ignores what is sent while it tells of a request.
  setTimeout(() => {
    if (!form.isConnected) return;
    document.getElementById("notices")?.replaceChildren();
    form.dispatchEvent(new Event("inventory:again"));
    sentAgain = true;
    form.requestSubmit(button);
    sentAgain = false;
  });
});
