// What pages do besides, where scripts run; all of them work without.
"use strict";

// Server Status and Control Center follow the cluster.
function follow(live) {
  const announcement = document.getElementById("announcement");
  const notice = document.createElement("p");
  notice.className = "panel warn";
  notice.setAttribute("role", "alert");
  let text = live.innerHTML;
  let pressed = false;
  let waiting = null;

  function show(news) {
    text = news;
    const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...live.querySelectorAll("details[open][id]")].map((each) => each.id);
    const places = [...live.querySelectorAll(".scroll[id]")].map((each) => [each.id, each.scrollLeft]);
    live.innerHTML = news;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, place] of places) {
      const scrolled = document.getElementById(id);
      if (scrolled) scrolled.scrollLeft = place;
    }
    live.classList.remove("changed");
    void live.offsetWidth;
    live.classList.add("changed");
    if (focused) document.getElementById(focused)?.focus();
    const summary = live.querySelector("[data-summary]")?.dataset.summary ?? "";
    if (announcement && announcement.textContent !== summary) announcement.textContent = summary;
  }

  // A button that is just being pressed stays where it is.
  live.addEventListener("pointerdown", () => (pressed = true));
  addEventListener("pointerup", () => {
    pressed = false;
    if (waiting !== null) setTimeout(() => waiting !== null && show(waiting), 0);
  });

  const source = new EventSource(live.dataset.live);
  source.addEventListener("open", () => notice.remove());
  source.addEventListener("update", (event) => {
    if (event.data === text) return;
    if (pressed) waiting = event.data;
    else {
      waiting = null;
      show(event.data);
    }
  });
  source.addEventListener("full", () => {
    source.close();
    notice.textContent = "Too many pages follow the cluster. Reload this one to see what has changed.";
    live.before(notice);
  });
  source.addEventListener("error", () => {
    const ended = source.readyState === EventSource.CLOSED;
    notice.textContent = ended
      ? "This page does not follow the cluster any more. Reload it."
      : "The administration does not answer, so this page may be out of date. It tries again.";
    live.before(notice);
  });
  source.addEventListener("alarms", (event) => {
    const count = document.getElementById("alarm-count");
    if (!count) return;
    count.textContent = event.data[0].toUpperCase() + event.data.slice(1);
    count.className = event.data === "no alarms" ? "none" : "some";
  });
  addEventListener("pagehide", () => source.close());
}

// A form shows what Save would do while it is filled in.
function preview(form) {
  const place = document.getElementById(form.dataset.preview);
  let timer;
  let latest = 0;
  async function look() {
    const number = ++latest;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "preview");
    const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "1" } });
    if (number !== latest || answer.redirected || answer.status >= 500) return;
    if (answer.status === 403) return;
    place.innerHTML = await answer.text();
    place.classList.add("fresh");
  }
  form.addEventListener("input", (event) => {
    if (event.target.name.startsWith("new-") || event.target.type === "password") return;
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => {}), 400);
  });
}

// What takes a moment, as to stop a server, shows that it has begun.
document.addEventListener("submit", (event) => {
  event.submitter?.setAttribute("aria-busy", "true");
  document.body.classList.add("waiting");
});
addEventListener("pageshow", () => {
  document.body.classList.remove("waiting");
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// Keys and clicks are heard from the first moment: a page is not shown before this has run.
const menus = () => document.querySelectorAll(".menus details");
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    if (menu.open && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});

document.addEventListener("DOMContentLoaded", () => {
  for (const live of document.querySelectorAll("[data-live]")) follow(live);
  for (const form of document.querySelectorAll("form[data-preview]")) preview(form);

  // The newest part of a picture that is wider than the page.
  const timeline = document.getElementById("timeline");
  if (timeline) timeline.scrollLeft = timeline.scrollWidth;
});
