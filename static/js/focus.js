// After a refused form the list of what is wrong gets the focus. A page that arrives whole has it by its
// autofocus attribute; this is for what htmx brings.
document.addEventListener("htmx:after:swap", () => {
  document.querySelector(".error-summary[autofocus]")?.focus();
});

// Tabs, and what can be done to rows, go beyond the edge of a narrow window. Browsers show more of what has the focus
// only when nothing of it is in sight, and nobody shows the tab that is open.
const showWhole = (control) => control?.scrollIntoView({ block: "nearest", inline: "nearest" });
document.addEventListener("focusin", ({ target }) => showWhole(target.closest(".tabs a, .bulkbar button")));
showWhole(document.querySelector(".tabs [aria-current]"));
