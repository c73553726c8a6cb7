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
