// Menus are <details class="menu">: they open by themselves. This closes them: by Escape, which gives the focus
// back, and when somebody goes elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = menu.contains(document.activeElement);
    menu.open = false;
    if (inside) menu.querySelector("summary").focus();
  }
});

function closeOthers(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

document.addEventListener("pointerdown", closeOthers);
document.addEventListener("focusin", closeOthers);

// The empty cell that ends a row of <table class="table lean"> gets the menu of <template id="row-menu">, whose links
// lead on from the page that the row's heading leads to; without [data-block] where the cell is [data-unblockable]. No
// script, no menu: the page has it all.
function addMenus() {
  const template = document.getElementById("row-menu");
  if (!template) return;
  for (const cell of document.querySelectorAll(".lean td:last-child:not(:has(> *))")) {
    const page = cell.closest("tr").querySelector("th a");
    const menu = template.content.firstElementChild.cloneNode(true);
    menu.querySelector("summary").setAttribute("aria-labelledby", `row-menu-label ${page.id}`);
    for (const entry of menu.querySelectorAll("a")) {
      if (entry.matches("[data-block]") && cell.matches("[data-unblockable]")) entry.remove();
      else entry.href = page.getAttribute("href") + entry.getAttribute("href");
    }
    cell.append(menu);
  }
}

document.addEventListener("htmx:after:swap", addMenus);
addMenus();
