// Moves what the server has drawn: <div class="countdown" data-countdown data-left="512" data-total="600">. It counts
// from the seconds that were left when the page was made, so a wrong clock of this machine changes nothing. Without it
// the page still says when the numbers are given back.
const clocks = [...document.querySelectorAll("[data-countdown]")];
// From the moment in which the answer began to arrive.
const begun = performance.getEntriesByType("navigation")[0]?.responseStart ?? performance.now();

function tick() {
  const passed = (performance.now() - begun) / 1000;
  for (const clock of clocks) {
    const left = Math.max(0, Math.floor(clock.dataset.left - passed));
    const time = clock.querySelector("[data-time]");
    time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.querySelector(".rest").setAttribute("stroke-dasharray", `${(100 * left) / clock.dataset.total} 100`);
    clock.toggleAttribute("data-soon", left > 0 && left <= 120);
    clock.toggleAttribute("data-over", left === 0);
  }
}

if (clocks.length > 0) {
  tick();
  setInterval(tick, 1000);
  // A page that comes back from where it was kept would go on counting from then.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
