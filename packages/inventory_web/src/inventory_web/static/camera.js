// Reads codes from the camera, or from a photo if the camera is not available, and dispatches them as inventory:scan events.

const camera = document.getElementById("camera");
const picture = document.getElementById("camera-picture");
const message = document.getElementById("camera-message");
const [startButton, stopButton, torchButton] = ["start", "stop", "torch"].map((name) => document.getElementById(`camera-${name}`));
const photo = document.getElementById("camera-photo");
const sound = document.getElementById("camera-sound");
const canvas = document.createElement("canvas");
const WIDEST = 960;
const PAUSE = 100;
const GONE_AFTER = 1500;
const GONE_FRAMES = 3;
const KINDS = ["qr_code", "code_128", "ean_13", "ean_8", "upc_a", "upc_e", "code_39", "data_matrix"];

let stream = null;
let find = null;
let tone = null;
let last = { code: "", seen: 0, missed: 0 };

camera.hidden = false;
if (!navigator.mediaDevices?.getUserMedia) {
  startButton.hidden = true;
  offerPhoto(camera.dataset.insecure);
}

function say(text) {
  message.textContent = text;
}

function offerPhoto(text) {
  photo.hidden = false;
  say(text);
}

// Return a function from an image to the text of its code, or "". Uses BarcodeDetector if the browser has it, else the worker.
async function prepare() {
  const kinds = window.BarcodeDetector ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
  if (kinds.includes("qr_code") && kinds.includes("code_128")) {
    const detector = new BarcodeDetector({ formats: KINDS.filter((kind) => kinds.includes(kind)) });
    return async (source) => (await detector.detect(source).catch(() => []))[0]?.rawValue ?? "";
  }
  const worker = new Worker(camera.dataset.worker);
  worker.postMessage({ library: new URL(camera.dataset.library, location.href).href });
  return (source, width, height) => {
    const scale = Math.min(1, WIDEST / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    paper.drawImage(source, 0, 0, canvas.width, canvas.height);
    const { data } = paper.getImageData(0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => {
      worker.onmessage = (answer) => resolve(answer.data);
      worker.onerror = () => resolve("");
      worker.postMessage({ pixels: data, width: canvas.width, height: canvas.height }, [data.buffer]);
    });
  };
}

async function start() {
  startButton.disabled = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    return offerPhoto(error.name === "NotAllowedError" ? camera.dataset.denied : camera.dataset.missing);
  } finally {
    startButton.disabled = false;
  }
  find ??= prepare();
  tone ??= window.AudioContext ? new AudioContext() : null;
  picture.srcObject = stream;
  show(true);
  say(camera.dataset.looking);
  last = { code: "", seen: 0, missed: 0 };
  await picture.play();
  look();
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  picture.srcObject = null;
  show(false);
  say("");
}

function show(running) {
  picture.hidden = stopButton.hidden = sound.parentElement.hidden = !running;
  startButton.hidden = running;
  photo.hidden = true;
  torchButton.hidden = !running || !stream.getVideoTracks()[0].getCapabilities?.().torch;
  torchButton.setAttribute("aria-pressed", "false");
  (running ? stopButton : startButton).focus({ preventScroll: true });
}

async function look() {
  if (!stream) return;
  // Pause while a count form is open. Refreshing the time stops the item still in view from being scanned again afterwards.
  if (document.querySelector(".scan-count")) last = { ...last, seen: performance.now(), missed: 0 };
  else if (picture.readyState >= 2) {
    const code = await (await find)(picture, picture.videoWidth, picture.videoHeight);
    if (stream && code) found(code);
    else last.missed += 1;
  }
  setTimeout(look, PAUSE);
}

function found(code) {
  const now = performance.now();
  // Accept the same code again only after it has been out of view. A slow device looks rarely, so time alone does not show that.
  const fresh = code !== last.code || (last.missed >= GONE_FRAMES && now - last.seen > GONE_AFTER);
  last = { code, seen: now, missed: 0 };
  if (!fresh) return;
  signal();
  pass(code);
}

function pass(code) {
  document.dispatchEvent(new CustomEvent("inventory:scan", { detail: { code } }));
}

function signal() {
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) navigator.vibrate?.(60);
  if (!tone || !sound.checked) return;
  const beep = tone.createOscillator();
  beep.frequency.value = 1200;
  beep.connect(tone.destination);
  beep.start();
  beep.stop(tone.currentTime + 0.08);
}

startButton.addEventListener("click", start);
stopButton.addEventListener("click", stop);
addEventListener("pagehide", stop);
document.addEventListener("visibilitychange", () => document.hidden && stream && stop());

torchButton.addEventListener("click", () => {
  const on = torchButton.getAttribute("aria-pressed") !== "true";
  stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
  torchButton.setAttribute("aria-pressed", String(on));
});

photo.querySelector("input").addEventListener("change", async ({ target }) => {
  const image = target.files[0] && (await createImageBitmap(target.files[0]).catch(() => null));
  target.value = "";
  find ??= prepare();
  const code = image && (await (await find)(image, image.width, image.height));
  if (code) pass(code);
  say(code ? "" : camera.dataset.unread);
});

sound.checked = localStorage.getItem("scan-sound") !== "no";
sound.addEventListener("change", () => localStorage.setItem("scan-sound", sound.checked ? "yes" : "no"));
