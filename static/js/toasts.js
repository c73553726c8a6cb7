// Gives each toast of [data-toasts] its close button, and lets it go after a while unless somebody is at it.
const STAYS = 12_000;

function tend(toast) {
  const leave = () => toast.matches(":hover, :focus-within") ? setTimeout(leave, STAYS) : toast.remove();
  const button = toast.querySelector("[data-dismiss]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => toast.remove());
  }
  // A link in it may be the only way to the result: it stays until it is closed.
  if (!toast.querySelector("a")) setTimeout(leave, STAYS);
}

for (const area of document.querySelectorAll("[data-toasts]")) {
  area.querySelectorAll(".toast").forEach(tend);
  new MutationObserver((records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) if (node.matches?.(".toast")) tend(node);
    }
  }).observe(area, { childList: true });
}
