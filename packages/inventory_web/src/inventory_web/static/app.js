// Enhancements only: every page works without this file.

// When a swap removes the focused element, such as the button of a finished job, focus the heading instead.
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

// Focus the first invalid field of a form that was rejected.
document.querySelector("main form [aria-invalid=true]")?.focus();

// Select a quantity on focus and after saving, so that typing replaces it.
const selectQuantity = (field) => field.matches(".qty input[name=quantity]") && field.select();
document.addEventListener("focusin", ({ target }) => selectQuantity(target));
document.addEventListener("htmx:after:swap", () => selectQuantity(document.activeElement));

// On a phone the on-screen keyboard covers half of the screen: scroll so that the results are visible above it.
const PHONE = "(max-width: 35.99rem) and (pointer: coarse)";

document.addEventListener("focusin", ({ target }) => {
  if (target.id === "search" && matchMedia(PHONE).matches) setTimeout(() => target.form.scrollIntoView({ block: "start" }));
});

// Polled elements show a server failure in their own [data-offline] element and keep polling. After a 4xx response, such as an
// expired session, the page is reloaded to show the reason.
function reportOffline(polled) {
  const place = polled.querySelector?.("[data-offline]");
  if (place && place.textContent !== place.dataset.offline) place.textContent = place.dataset.offline;
  return Boolean(place);
}

// Do not poll in a hidden window.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.target.matches?.("[data-while-visible]")) event.preventDefault();
});

document.addEventListener("htmx:response:error", ({ target, detail }) => {
  if (!target.matches?.("[data-hx-trigger^=every]")) return;
  if (detail.ctx.response.status < 500) location.reload();
  else reportOffline(target);
});

// Report a request without a response until another one succeeds.
document.addEventListener("htmx:error", ({ target, detail }) => {
  if (detail.ctx?.response || document.querySelector(".no-answer") || reportOffline(target)) return;
  document.getElementById("notices")?.append(document.getElementById("no-answer").content.cloneNode(true));
});

document.addEventListener("htmx:after:request", ({ detail }) => {
  document.querySelector(".no-answer")?.remove();
  if (detail?.ctx?.response?.status < 400) document.querySelector("#notices > .refusal")?.remove();
});

// When the server sends a new CSRF token because the session changed, submit the rejected form again with it. This is safe because
// the rejected request changed nothing. Retry only once: a browser without cookies would loop forever.
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
  // htmx ignores a submit while it is still dispatching the events of a request.
  setTimeout(() => {
    if (!form.isConnected) return;
    document.getElementById("notices")?.replaceChildren();
    form.dispatchEvent(new Event("inventory:again"));
    sentAgain = true;
    form.requestSubmit(button);
    sentAgain = false;
  });
});
