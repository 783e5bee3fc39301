// Keeps the keyboard where the next scan has to go, and takes scans one after the other, however quickly they come.

const scanForm = document.getElementById("scan-form");
const codeField = document.getElementById("scan");
const KEY_GAP = 50;
const SHORTEST_SCAN = 3;

// What is sent stands in a field of its own, so that a scanner can go on typing meanwhile.
const sent = document.createElement("input");
sent.type = "hidden";
sent.name = codeField.name;
codeField.removeAttribute("name");
scanForm.append(sent);

const waiting = [];
let asking = false;
let sending = false;

// Take a code as if somebody had typed it: for this form, for the camera, and for a scanner that types into another field.
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
    // A form ignores what is submitted while it tells of a submission.
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
  // A scan that was not taken stands where it can be sent again.
  if (target === scanForm && !(answer?.status < 500 && answer.status !== 400 && answer.status !== 401) && !codeField.value) {
    codeField.value = sent.value;
    codeField.select();
  }
  next();
});

// The same code once more, with the token of a session that began meanwhile.
scanForm.addEventListener("inventory:again", () => {
  codeField.value = "";
  asking = sending = true;
});

// What was typed for one place stays when another one is saved.
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

// A scanner that types into a quantity means the next product: a hand is never so quick.
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
