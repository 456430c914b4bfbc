// Small comforts on top of pages that work without them. Everything attaches by data-khue-… and by delegation,
// so parts swapped in by htmx need no set-up. No eval, no inline code: the CSP allows neither.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Drop-downs are <details>; one closes when the click or the focus goes elsewhere, or by Escape.
  const closeDrops = (except) => all("details.k-drop[open]").forEach((drop) => {
    if (!except || !drop.contains(except)) drop.open = false;
  });
  document.addEventListener("click", (event) => {
    closeDrops(event.target);
    if (!event.target.closest(".k-search")) clearHits();
  });
  document.addEventListener("focusin", (event) => {
    closeDrops(event.target);
    if (!event.target.closest(".k-search")) clearHits();
  });

  // Search as you type: "/" jumps to the box, arrows walk through the hits, Escape leaves.
  const clearHits = () => { const box = $("#khue-hits"); if (box) box.replaceChildren(); };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = $("#khue-search-box");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
    if (event.key === "Escape") {
      const open = $("details.k-drop[open]");
      if (open) { open.open = false; $("summary", open).focus(); }
      if (event.target.closest(".k-search")) { clearHits(); $("#khue-search-box").focus(); }
    }
    const search = event.target.closest(".k-search");
    if (search && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const stops = [$("#khue-search-box"), ...all("a", $("#khue-hits"))];
      const at = stops.indexOf(document.activeElement);
      const next = stops[(at + (event.key === "ArrowDown" ? 1 : -1) + stops.length) % stops.length];
      if (next) { event.preventDefault(); next.focus(); }
    }
  });

  // On a slow link words stand in the box before htmx listens to it: they are told to it once it does. It begins in a
  // timer set when it was run, before this one.
  setTimeout(() => {
    const box = $("#khue-search-box");
    if (box && box === document.activeElement && box.value !== box.defaultValue) box.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // A form is sent once; a second click while it is under way does nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get" || form.dataset.khueAgain !== undefined) return;
    if (form.dataset.khueSent) { event.preventDefault(); return; }
    form.dataset.khueSent = "1";
    setTimeout(() => { delete form.dataset.khueSent; }, 8000);
    forget(form);
  });
  window.addEventListener("pageshow", () => all("form[data-khue-sent]").forEach((form) => delete form.dataset.khueSent));
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.target.closest && event.target.closest("form");
    if (form) delete form.dataset.khueSent;
  });

  // data-khue-keep="name" on a form: what was typed stays on this device for a week.
  const WEEK = 7 * 24 * 3600 * 1000;
  const key = (form) => `khue:${document.body.dataset.khueAccount || ""}:${form.dataset.khueKeep}`;
  const kept = (form) => all("input, textarea, select", form).filter((field) =>
    field.name && !["hidden", "password", "file", "submit"].includes(field.type));
  const forget = (form) => { if (form.dataset.khueKeep) try { localStorage.removeItem(key(form)); } catch { /* private mode */ } };
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form || !form.dataset.khueKeep) return;
    const values = kept(form).map((field) => [field.name, field.type === "checkbox" || field.type === "radio" ? field.checked : field.value]);
    try { localStorage.setItem(key(form), JSON.stringify({ at: Date.now(), values })); } catch { /* full or private */ }
  });
  const restore = (root) => all("form[data-khue-keep]", root).forEach((form) => {
    let saved;
    try { saved = JSON.parse(localStorage.getItem(key(form))); } catch { return; }
    if (!saved) return;
    if (Date.now() - saved.at > WEEK) { forget(form); return; }
    kept(form).forEach((field, index) => {
      const [name, value] = saved.values[index] || [];
      if (name !== field.name) return;
      if (typeof value === "boolean") field.checked = value; else if (value) field.value = value;
    });
  });

  // Files: name and size at once, drop anywhere on the box.
  document.addEventListener("change", (event) => {
    const box = event.target.closest(".k-upload");
    if (!box || event.target.type !== "file") return;
    const file = event.target.files[0];
    const shown = $("[data-khue-file]", box);
    if (shown) shown.textContent = file ? `${file.name} (${(file.size / 1024).toLocaleString("vi-VN", { maximumFractionDigits: 0 })} kB)` : "";
  });
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    document.addEventListener(name, (event) => {
      const box = event.target.closest && event.target.closest(".k-upload");
      if (!box) return;
      event.preventDefault();
      box.classList.toggle("k-over", over);
      if (name === "drop" && event.dataTransfer.files.length) {
        const input = $("input[type=file]", box);
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-khue-print]")) window.print();
    const copy = event.target.closest("[data-khue-copy]");
    if (copy && navigator.clipboard) navigator.clipboard.writeText(copy.dataset.khueCopy);
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-khue-submit]") && event.target.form) event.target.form.requestSubmit();
  });

  // A browser set up in English shows 11/10/2025 for 10 November; then the day is written out below the field.
  const foreign = !new Intl.DateTimeFormat().format(new Date(2025, 10, 30)).startsWith("30");
  const day = new Intl.DateTimeFormat(document.documentElement.lang || "vi", { weekday: "long", day: "2-digit", month: "2-digit", year: "numeric" });
  const tellDay = (field) => {
    let note = field.nextElementSibling;
    if (!note || !note.matches("[data-khue-day]")) {
      note = document.createElement("span");
      note.dataset.khueDay = "";
      note.className = "k-soft small";
      note.setAttribute("aria-live", "polite");
      field.after(note);
    }
    note.textContent = field.valueAsDate ? day.format(new Date(field.valueAsNumber + 12 * 3600 * 1000)) : "";
  };
  document.addEventListener("input", (event) => { if (foreign && event.target.type === "date") tellDay(event.target); });

  // Without a network: say so, keep the page.
  const network = () => { const banner = $("#khue-offline"); if (banner) banner.hidden = navigator.onLine; };
  window.addEventListener("online", network);
  window.addEventListener("offline", network);
  document.addEventListener("htmx:error", () => {
    const note = $("#khue-lost");
    const place = $("#khue-messages");
    if (note && place && !navigator.onLine) place.replaceChildren(note.content.cloneNode(true));
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target.id === "khue-messages") event.target.scrollIntoView({ block: "nearest" });
    attach(event.target);
  });

  // data-khue-module="address": a controller of its own file, loaded when its part is on the page.
  const attach = (root) => {
    restore(root);
    if (foreign) all("input[type=date]", root).forEach(tellDay);
    all("[data-khue-module]:not([data-khue-attached])", root).forEach((part) => {
      part.dataset.khueAttached = "1";
      import(part.dataset.khueModule).then((module) => module.default(part));
    });
  };
  network();
  attach(document);
  if ("serviceWorker" in navigator && document.body.dataset.khueWorker) {
    navigator.serviceWorker.register(document.body.dataset.khueWorker).catch(() => {});
  }
})();
