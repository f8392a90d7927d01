"use strict";
{
  // The key may be in the address. It is never written into the page, so it is taken along here.
  const code = new URLSearchParams(location.search).get("code");
  const status = document.getElementById("status");
  // Each command gets a button that copies it.
  const furnish = () => {
    for (const typed of document.querySelectorAll("code.command")) {
      if (typed.nextElementSibling?.matches(".copy")) continue;
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
      button.setAttribute("aria-label", "Copy the command");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(typed.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(typed);
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      typed.after(button);
    }
  };
  const carry = () => {
    furnish();
    if (code === null) return;
    for (const link of document.querySelectorAll('a[href^="?"]')) {
      const asked = new URLSearchParams(link.getAttribute("href"));
      asked.set("code", code);
      link.setAttribute("href", "?" + asked);
    }
    for (const form of document.forms) {
      if (form.elements.namedItem("code")) continue;
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "code", value: code });
      form.append(field);
    }
  };
  // The parts that are renewed carry data-live. One that holds the focus, or text being selected,
  // waits for the next time: nobody loses their place.
  const inUse = (part) =>
    part.contains(document.activeElement) ||
    (!getSelection().isCollapsed && getSelection().containsNode(part, true));
  const renew = (fresh) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      if (!other || inUse(part)) continue;
      for (const open of part.querySelectorAll("details[open][id]"))
        other.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
      part.replaceWith(other);
    }
    const at = fresh.getElementById("at");
    if (at) document.getElementById("at").replaceWith(at);
    carry();
  };
  let paused = false;
  let busy = false;
  const refresh = async () => {
    if (paused || busy || document.hidden) return;
    busy = true;
    const slow = setTimeout(() => { status.textContent = "asking the ledger…"; }, 1000);
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error();
      renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
      status.textContent = "";
    } catch {
      status.textContent = "could not be refreshed, tried again soon";
    } finally {
      clearTimeout(slow);
      busy = false;
    }
  };
  carry();
  addEventListener("submit", (event) => {
    for (const field of event.target.elements) if (!field.value && field.name) field.disabled = true;
  });
  addEventListener("beforeunload", () => {
    if (status) status.textContent = "asking the ledger…";
  });
  addEventListener("pageshow", () => {
    for (const field of document.querySelectorAll("form :disabled")) field.disabled = false;
    if (status) status.textContent = "";
  });
  const pause = document.getElementById("pause");
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.textContent = paused ? "Refresh again" : "Pause refreshing";
      status.textContent = paused ? "paused" : "";
    });
    setInterval(refresh, 1000 * document.documentElement.dataset.refresh);
  }
}
