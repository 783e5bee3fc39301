// Renews the picture of the system while somebody looks at it, and remembers which instances answer this browser.

const EVERY = 5000;
const form = document.getElementById("system-live");
const seen = new Map();

async function ask(times) {
  for (let time = 0; time < times; time++) {
    const answer = await fetch(form.dataset.ask, { cache: "no-store" }).catch(() => null);
    const name = answer?.headers.get("X-Served-By");
    if (name) seen.set(name, Date.now());
  }
}

async function renew(times) {
  if (document.hidden) return;
  await ask(times);
  const age = (at) => Math.round((Date.now() - at) / 1000);
  form.elements.seen.value = [...seen].map(([name, at]) => `${name}~${age(at)}`).join(",");
  form.dispatchEvent(new Event("renew"));
}

setInterval(() => renew(3), EVERY);
document.addEventListener("visibilitychange", () => renew(3));
renew(6);
