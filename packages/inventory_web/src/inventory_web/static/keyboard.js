// Keyboard shortcuts for existing controls. Keep them in step with the list at /shortcuts.

const FIELDS = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const ROW = ".products tbody tr";
const OPENED = "details.app-drop[open], details.confirm[open]";

// Queue of + and − presses made while another is being saved, or before htmx has initialised the row.
const presses = [];
let saving = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest(FIELDS)) {
    const leaves = event.key === "Escape" && event.target.closest(OPENED);
    if (!leaves && (event.key !== "ArrowDown" || event.target.id !== "search")) return;
  }
  if (!waits(event)) perform(event);
});

function perform(event) {
  const act = actions[event.key];
  if (act && act(event) !== false) event.preventDefault();
}

// A USB scanner types a whole code and Enter faster than a person can, so hold each key briefly before treating it as a shortcut.
const MOMENT = 50;
const SHORTEST_CODE = 3;
let typed = [];
let ending = 0;

function waits(event) {
  if (event.key === "Shift" || event.key === "CapsLock") return true;
  clearTimeout(ending);
  if (event.key.length === 1 && !event.repeat && (event.key !== " " || typed.length)) {
    if (actions[event.key]) event.preventDefault();
    typed.push(event);
    ending = setTimeout(performAll, MOMENT);
    return true;
  }
  const scan = document.getElementById("keys")?.dataset.scan;
  if (event.key === "Enter" && typed.length >= SHORTEST_CODE && scan) {
    event.preventDefault();
    location.assign(`${scan}?code=${encodeURIComponent(typed.map(({ key }) => key).join(""))}`);
    typed = [];
    return true;
  }
  performAll();
  return false;
}

// Replay the held keys on the element that has the focus now.
function performAll() {
  const keys = typed;
  typed = [];
  for (const { key, shiftKey, target } of keys) {
    const focused = document.activeElement;
    if (focused.matches(FIELDS) && focused !== target) {
      focused.setRangeText(key, focused.selectionStart, focused.selectionEnd, "end");
      focused.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      const place = focused === document.body && target.isConnected ? target : focused;
      perform({ key, shiftKey, target: place, repeat: false, preventDefault() {} });
    }
  }
}

// Each action returns false if its key does not apply here.
const actions = {
  "/": () => go("search", (search) => (search.focus(), search.select())),
  "?": () => go("keys", showKeys),
  n: () => go("new"),
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: (event) => !event.shiftKey && moves(event) && move(1),
  ArrowUp: (event) => !event.shiftKey && moves(event) && (atTheTop(event) ? go("search", (search) => search.focus()) : move(-1)),
  x: mark,
  X: mark,
  " ": (event) => event.target.matches(`${ROW} a`) && mark(event),
  "+": (event) => event.repeat || press(event, "1"),
  "-": (event) => event.repeat || press(event, "-1"),
  Escape: (event) => close(event.target.closest(OPENED) || document.querySelector(OPENED)) || dismiss(),
};

// Use the element if it is on this page; otherwise open the page named in the data attributes of the #keys link.
function go(what, use) {
  const link = document.getElementById("keys");
  const here = what === "new" ? null : document.getElementById(what);
  if (here && use) use(here);
  else if (link?.dataset[what]) location.assign(link.dataset[what]);
  else return false;
  return true;
}

// Elsewhere the arrow keys scroll the page as usual.
function moves(event) {
  return event.target === document.body || event.target.id === "search" || event.target.matches(`${ROW} *, #next-page`);
}

function atTheTop(event) {
  return event.target.closest(ROW)?.matches(":first-child");
}

function move(step) {
  const stops = [...document.querySelectorAll(`${ROW} > td:first-child > a, #next-page`)];
  const focused = document.activeElement;
  const here = stops.findIndex((stop) => stop === focused || stop.closest(ROW)?.contains(focused));
  const first = focused.id === "search" ? 0 : stops.findIndex((stop) => stop.getBoundingClientRect().bottom > 0);
  const next = here < 0 ? stops[first] : stops[here + step];
  if (next) next.focus();
  return stops.length > 0;
}

// Click the checkbox of the row; with Shift this selects the range from the last one.
function mark(event) {
  const box = event.target.closest(ROW)?.querySelector("input[name=p]");
  if (!box) return false;
  if (!event.repeat) box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
  return true;
}

function press(event, delta) {
  const row = event.target.closest(ROW);
  const form = row?.querySelector("form.qty");
  if (!form) return false;
  const ready = !window.htmx || form.hasAttribute("data-htmx-powered");
  if (saving || !ready || form.classList.contains("htmx-request")) presses.push({ row: row.id, delta });
  else {
    saving = true;
    form.querySelector(`button[name=delta][value="${delta}"]`).click();
  }
  return true;
}

function pressNext() {
  if (saving || !presses.length) return;
  const next = presses.shift();
  const row = document.getElementById(next.row);
  // Drop the queue after a conflict or error, so that the user can read it first.
  if (row?.querySelector(".qty-conflict, .qty-fault")) presses.length = 0;
  else if (row) press({ target: row }, next.delta);
}

document.addEventListener("htmx:error", () => (presses.length = 0));
document.addEventListener("htmx:after:process", pressNext);
document.addEventListener("htmx:finally:request", () => {
  // htmx ignores a submit while it is still dispatching the events of a request.
  setTimeout(() => {
    saving = false;
    pressNext();
  });
});

// Remove the note about a changed quantity. If it had the focus, move the focus to its row.
function dismiss() {
  const note = document.querySelector(".qty-done");
  if (!note) return false;
  if (note.contains(document.activeElement)) note.closest(ROW)?.querySelector("a").focus();
  note.remove();
  return true;
}

function close(details) {
  if (!details) return false;
  details.open = false;
  details.querySelector("summary").focus();
  return true;
}

// Close open menus on a click elsewhere.
document.addEventListener("click", (event) => {
  for (const opened of document.querySelectorAll("details.app-drop[open]")) {
    if (!opened.contains(event.target)) opened.open = false;
  }
});

function showKeys() {
  document.querySelector("dialog.shortcuts-dialog").showModal();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("#keys") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showKeys();
});
