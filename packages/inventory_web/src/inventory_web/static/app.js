"use strict";
// Everything works without this file. It keeps the keyboard where it was and tells screen readers what changed.

// The control of a row that had the focus before htmx replaced the row.
let lost = null;

document.addEventListener("htmx:before:swap", () => {
  const focused = document.activeElement;
  const row = focused && focused.closest("tr[id]");
  lost = row && { row: row.id, place: [...row.querySelectorAll("input:not([type=hidden]), button")].indexOf(focused) };
});

document.addEventListener("htmx:after:swap", () => {
  if (lost && document.activeElement === document.body) {
    const row = document.getElementById(lost.row);
    const controls = row ? [...row.querySelectorAll("input:not([type=hidden]), button")] : [];
    if (controls[lost.place]) controls[lost.place].focus({ preventScroll: true });
  }
  lost = null;
});

document.addEventListener("htmx:after:settle", (event) => {
  const live = document.getElementById("announcer");
  const changed = event.target instanceof Element && event.target.isConnected ? event.target : document;
  const told = changed.matches?.("[data-announce]") ? changed : changed.querySelector("[data-announce]");
  if (live && told && live.textContent !== told.dataset.announce) live.textContent = told.dataset.announce;
});

// A slash goes to the search, as in many lists.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.getElementById("search");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// What is typed into a quantity replaces what stood there.
document.addEventListener("focusin", (event) => {
  if (event.target.matches(".qty input[name=quantity]")) event.target.select();
});
