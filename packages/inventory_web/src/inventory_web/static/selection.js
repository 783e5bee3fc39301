// Selection in the list: Shift ranges, the whole page, and a count. The checkboxes work without this file.

const MARKS = ".products input[name=p]";

// Row that was clicked last: the start of a Shift range.
let lastMarked = null;

const marks = () => [...document.querySelectorAll(MARKS)];
const rowOf = (mark) => mark.closest("tr").id;

document.addEventListener("click", (event) => {
  const mark = event.target.closest(MARKS);
  if (!mark) return;
  const all = marks();
  const from = all.findIndex((other) => rowOf(other) === lastMarked);
  const to = all.indexOf(mark);
  if (event.shiftKey && from >= 0) {
    for (const other of all.slice(Math.min(from, to), Math.max(from, to) + 1)) other.checked = mark.checked;
  }
  lastMarked = rowOf(mark);
});

document.addEventListener("change", ({ target }) => {
  if (target.id === "whole-page") for (const mark of marks()) mark.checked = target.checked;
  if (target.form?.id === "s") show(true);
});

document.addEventListener("reset", ({ target }) => {
  if (target.id !== "s") return;
  // The selection bar disappears; move the focus out of it first.
  document.querySelector(`${MARKS}:checked`)?.closest("tr").querySelector("a").focus();
  if (target.contains(document.activeElement)) document.querySelector(".products tbody a")?.focus();
  setTimeout(() => show(true));
});

// Remove the note of the previous change when the next one arrives.
document.addEventListener("htmx:before:swap", ({ detail }) => {
  for (const note of document.querySelectorAll(".qty-done")) if (!detail.ctx.target?.contains(note)) note.remove();
});

document.addEventListener("htmx:after:swap", () => show(false));

// Browsers can restore checkboxes on reload and when going back.
window.addEventListener("pageshow", () => show(false));

function show(aloud) {
  const label = document.getElementById("selected");
  if (!label) return;
  const all = marks();
  const marked = all.filter((mark) => mark.checked).length;
  const everywhere = document.querySelector("#s [name=all]");
  const page = document.getElementById("whole-page");
  page.checked = marked === all.length && marked > 0;
  page.indeterminate = marked > 0 && marked < all.length;
  label.textContent = `${label.dataset.text}: ${everywhere.checked ? everywhere.dataset.text : marked}`;
  const live = document.getElementById("announcer");
  if (aloud && live) live.textContent = label.textContent;
}
