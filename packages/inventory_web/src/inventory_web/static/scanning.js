// Keeps the focus in the code field and processes scans one at a time.

const scanForm = document.getElementById("scan-form");
const codeField = document.getElementById("scan");
const KEY_GAP = 50;
const SHORTEST_SCAN = 3;

// Submit the code in a hidden field, so that a scanner can type the next one meanwhile.
const sent = document.createElement("input");
sent.type = "hidden";
sent.name = codeField.name;
codeField.removeAttribute("name");
scanForm.append(sent);

const waiting = [];
let asking = false;
let sending = false;

// Queue a code from this form, from the camera, or from a scanner that typed into another field.
function take(code) {
  if (code.trim()) waiting.push(code);
  next();
}

document.addEventListener("inventory:scan", ({ detail }) => take(detail.code));

function next() {
  if (asking || !waiting.length) return;
  const fields = [...document.querySelectorAll(".scan-count input[name=quantity]")];
  const unsaved = fields.find((field) => field.value.trim() !== field.dataset.seen);
  if (unsaved) {
    waiting.length = 0;
    document.querySelector(".scan-wait").hidden = false;
    return unsaved.select();
  }
  sent.value = waiting.shift();
  asking = sending = true;
  scanForm.requestSubmit();
}

scanForm.addEventListener(
  "submit",
  (event) => {
    if (sending) return (sending = false);
    event.preventDefault();
    event.stopImmediatePropagation();
    const code = codeField.value;
    codeField.value = "";
    // A form ignores requestSubmit() inside its own submit event.
    setTimeout(() => take(code));
  },
  true,
);

document.addEventListener("htmx:before:request", ({ target }) => {
  if (target.closest("#scan-work")) asking = true;
});

document.addEventListener("htmx:finally:request", ({ target, detail }) => {
  asking = false;
  const answer = detail?.ctx?.response;
  // Put a code that failed back into the field, so that it can be sent again.
  if (target === scanForm && !(answer?.status < 500 && answer.status !== 400 && answer.status !== 401) && !codeField.value) {
    codeField.value = sent.value;
    codeField.select();
  }
  next();
});

// app.js submits the same code again with a new CSRF token.
scanForm.addEventListener("inventory:again", () => {
  codeField.value = "";
  asking = sending = true;
});

// Keep the unsaved quantities of other locations when one is saved.
let kept = [];
document.addEventListener("htmx:before:swap", () => {
  kept = [...document.querySelectorAll(".scan-count")].map((form) => [form.code.value, form.location.value, form.quantity.value]);
});

document.addEventListener("htmx:after:swap", () => {
  for (const form of document.querySelectorAll(".scan-count:not(:has([aria-invalid]))")) {
    const typed = kept.find(([code, place]) => code === form.code.value && place === form.location.value);
    if (typed) form.quantity.value = typed[2];
  }
  const count = document.querySelector(".scan-count [autofocus]");
  if (count) {
    count.focus();
    count.select();
  } else codeField.focus({ preventScroll: true });
});

// Keys that arrive faster than a person types are a scan of the next product, not a quantity.
let burst = "";
let before = "";
let typedAt = 0;

document.addEventListener(
  "keydown",
  (event) => {
    const field = event.target;
    if (!field.matches?.(".scan-count input[name=quantity]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const now = performance.now();
    const quick = now - typedAt <= KEY_GAP;
    if (event.key.length === 1) {
      if (!quick) before = field.value;
      burst = quick ? burst + event.key : event.key;
      typedAt = now;
    } else if (event.key === "Enter" && quick && burst.length >= SHORTEST_SCAN) {
      event.preventDefault();
      field.value = before;
      take(burst);
      burst = "";
    }
  },
  true,
);

document.addEventListener("click", (event) => {
  if (!event.target.closest(".scan-skip")) return;
  event.preventDefault();
  document.querySelector(".scan-product").remove();
  codeField.focus();
});

scanForm.addEventListener("change", (event) => {
  if (event.target.matches("[name=mode], [name=place]")) codeField.focus();
});
