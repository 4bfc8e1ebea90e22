// Announces changes of state (never ticks), says when the connection is lost, and keeps the focus where it was.
(() => {
  const announcer = document.getElementById("announcer");
  const offline = document.getElementById("offline");
  let states = document.getElementById("overview")?.dataset.states;
  let lastSpoken = 0;
  document.body.addEventListener("htmx:afterSwap", () => {
    const overview = document.getElementById("overview");
    if (!overview || overview.dataset.states === states) return;
    states = overview.dataset.states;
    const wait = Math.max(0, lastSpoken + 10000 - Date.now());
    setTimeout(() => {
      lastSpoken = Date.now();
      announcer.textContent = document.getElementById("overview").dataset.now;
    }, wait);
  });
  document.body.addEventListener("htmx:sseError", () => {
    if (!offline.hidden) return;
    const time = new Date().toTimeString().slice(0, 5);
    offline.textContent = offline.dataset.since.replace("@TIME@", time);
    offline.hidden = false;
    document.body.classList.add("is-offline");
  });
  document.body.addEventListener("htmx:sseOpen", () => {
    offline.hidden = true;
    document.body.classList.remove("is-offline");
  });
  document.querySelector(".result .problem, .result .good")?.parentElement.focus();
})();
