const BOX = ".selectable tbody td:first-child > input";

// <input type="checkbox" data-select-all disabled> in a .selectable form ticks every box of its rows.
// It is disabled until this runs, since it does nothing alone.
function prepare(root) {
  for (const all of root.querySelectorAll("[data-select-all]")) {
    all.disabled = false;
    reflect(all.closest(".selectable"));
  }
}

function reflect(form) {
  const all = form?.querySelector("[data-select-all]");
  if (!all) return;
  const rows = [...form.querySelectorAll(BOX)];
  const ticked = rows.filter((row) => row.checked).length;
  all.checked = ticked > 0 && ticked === rows.length;
  all.indeterminate = ticked > 0 && ticked < rows.length;
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest(".selectable");
  if (target.matches("[data-select-all]")) {
    for (const row of form.querySelectorAll(BOX)) row.checked = target.checked;
  } else if (target.matches(BOX)) {
    reflect(form);
  }
});
// The boxes are cleared after the event.
document.addEventListener("reset", ({ target }) => setTimeout(() => reflect(target)));
document.addEventListener("htmx:after:swap", () => prepare(document));
// Going back restores ticks only after the modules have run.
addEventListener("pageshow", () => prepare(document));
prepare(document);
