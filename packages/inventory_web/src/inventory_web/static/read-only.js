// Disables the forms while the database is read-only, and enables them again, with their input, once it accepts writes.

const EVERY = 5000;
const notice = document.getElementById("read-only");
// The forms of the top bar save only in the browser, and some forms save nothing.
const SAVES = "form[method=post]:not(.app-bar form, [data-saves-nothing])";
const BUTTON = "button:not([type=button], [type=reset]), input[type=submit]";
// Inline forms have no room for a sentence: their buttons refer to the notice.
const IN_A_LINE = "td form, .qty-note form";
let waiting = true;
let number = 0;

function hold(form) {
  if (form.dataset.waiting) return;
  form.dataset.waiting = "yes";
  const buttons = [...form.querySelectorAll(BUTTON)];
  let why = notice.id;
  if (!form.matches(IN_A_LINE) && buttons.length) {
    const sentence = document.createElement("small");
    why = sentence.id = `waits-${++number}`;
    sentence.className = "form-waits";
    sentence.textContent = notice.dataset.waits;
    buttons.at(-1).after(sentence);
  }
  for (const button of buttons) {
    button.setAttribute("aria-disabled", "true");
    // The server already adds the notice for browsers without scripts; keep the other references.
    button.dataset.described = (button.getAttribute("aria-describedby") || "").replace(notice.id, "").trim();
    button.setAttribute("aria-describedby", `${button.dataset.described} ${why}`.trim());
  }
}

function release(form) {
  delete form.dataset.waiting;
  form.querySelectorAll("small.form-waits").forEach((sentence) => sentence.remove());
  for (const button of form.querySelectorAll("[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    if (button.dataset.described) button.setAttribute("aria-describedby", button.dataset.described);
    else button.removeAttribute("aria-describedby");
    delete button.dataset.described;
  }
}

function holdAll() {
  if (waiting) document.querySelectorAll(SAVES).forEach(hold);
}

async function ask() {
  if (!waiting || document.hidden) return;
  const answer = await fetch(notice.dataset.ask, { cache: "no-store", headers: { Accept: "application/json" } }).catch(() => null);
  const mode = answer?.ok ? (await answer.json().catch(() => null))?.database?.mode : null;
  if (mode === "read_only" || mode === "down" || !mode) return;
  waiting = false;
  clearInterval(asking);
  document.querySelectorAll("[data-waiting]").forEach(release);
  notice.className = "alert alert-success";
  notice.querySelector("span").textContent = notice.dataset.over;
}

document.addEventListener(
  "submit",
  (event) => {
    if (!waiting || !event.target.matches(SAVES)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.getElementById("announcer").textContent = notice.dataset.waits;
    notice.scrollIntoView({ block: "nearest" });
  },
  true,
);
document.addEventListener("htmx:after:settle", holdAll);
document.addEventListener("visibilitychange", ask);
const asking = setInterval(ask, EVERY);
holdAll();
