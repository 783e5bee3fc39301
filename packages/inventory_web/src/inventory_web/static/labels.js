// The browser's own command prints as well; this only brings it to where the person looks.

const button = document.getElementById("print-labels");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
