// After a refused form the list of what is wrong gets the focus. A page that arrives whole has it by its
// autofocus attribute; this is for what htmx brings.
document.addEventListener("htmx:after:swap", () => {
  document.querySelector(".error-summary[autofocus]")?.focus();
});
