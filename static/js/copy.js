// <button data-copy="id" data-copied="Copied" hidden> copies the text of #id and says so.
function prepare() {
  for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
  const said = button.querySelector("[role=status]");
  said.textContent = button.dataset.copied;
  setTimeout(() => (said.textContent = ""), 4_000);
});
document.addEventListener("htmx:after:swap", prepare);
prepare();
