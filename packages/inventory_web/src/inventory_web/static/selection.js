// Marks in the list: ranges with the shift key, the whole page, their number. Without this file they are sent all the same.

const MARKS = ".products input[name=p]";

// The row that was marked last, from which a range goes.
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
  // The bar goes away with the last mark, and must not take the keyboard with it.
  document.querySelector(`${MARKS}:checked`)?.closest("tr").querySelector("a").focus();
  if (target.contains(document.activeElement)) document.querySelector(".products tbody a")?.focus();
  setTimeout(() => show(true));
});

// What the next change says takes the place of what the last one said.
document.addEventListener("htmx:before:swap", ({ detail }) => {
  for (const note of document.querySelectorAll(".qty-done")) if (!detail.ctx.target?.contains(note)) note.remove();
});

document.addEventListener("htmx:after:swap", () => show(false));

// A page that the history or a reload brings back may come with its marks.
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
