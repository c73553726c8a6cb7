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

// <a class="row-menu" href="page/"> leads to a page, from which the links of <template id="row-menu"> lead on. Where
// somebody goes near it, it becomes a menu of those links, without [data-block] unless it has that too.
function becomeMenu({ target }) {
  const link = target.closest?.("a.row-menu");
  const template = link && document.getElementById("row-menu");
  if (!template) return null;
  const menu = template.content.firstElementChild.cloneNode(true);
  const summary = menu.querySelector("summary");
  summary.setAttribute("aria-label", link.getAttribute("aria-label"));
  for (const entry of menu.querySelectorAll("a")) {
    if (entry.matches("[data-block]") && !link.matches("[data-block]")) entry.remove();
    else entry.href = link.getAttribute("href") + entry.getAttribute("href");
  }
  const focused = link === document.activeElement;
  link.replaceWith(menu);
  if (focused) summary.focus();
  return menu;
}

document.addEventListener("pointerover", becomeMenu);
document.addEventListener("focusin", becomeMenu);
// Without a pointer and a focus, as a screen reader may do it.
document.addEventListener("click", (event) => {
  const menu = event.ctrlKey || event.metaKey || event.shiftKey ? null : becomeMenu(event);
  if (!menu) return;
  event.preventDefault();
  menu.open = true;
  menu.querySelector("summary").focus();
});
