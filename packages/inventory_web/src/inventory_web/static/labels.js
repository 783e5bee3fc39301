// Shows a print button, which needs a script.

const button = document.getElementById("print-labels");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
