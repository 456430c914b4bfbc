// The grid of a register: keyboard, paste with preview, a queue of changed cells that survives reload and no network.
// It takes over a plain form (gradebook/_grid.html); without it the form posts everything. The server decides what
// fits and what the averages are; the checks here only say at once what it would say.

const DAY = 24 * 3600 * 1000;
const IDLE = 1500;

export default function grid(form) {
  const words = JSON.parse(document.getElementById("kg-words").textContent);
  const say = (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  const kind = form.dataset.kind;
  const storeKey = `khue:grid:${document.body.dataset.khueAccount || ""}:${form.dataset.register}`;
  const said = form.querySelector("[data-khue-said]");
  const notes = form.querySelector("[data-khue-notes]");
  const missing = document.querySelector("[data-khue-missing]");
  const page = Number(form.elements.seen.value);
  const learners = [...form.querySelectorAll('input[name="l"]')].map((field) => field.value);
  const cells = [...form.querySelectorAll("tbody input:not([type=hidden])")];
  const slots = [];
  const at = new Map();       // "learner slot" -> input
  const places = new Map();   // input -> {row, slot, learner, key}
  const settled = new Map();  // key -> value as the server has it, shown form
  const seen = new Map();     // key -> entry number the value was seen at
  for (const input of cells) {
    const [row, slot] = [Number(input.name.split("-")[0]), input.name.slice(input.name.indexOf("-") + 1)];
    const key = `${learners[row]} ${slot}`;
    if (!slots.includes(slot)) slots.push(slot);
    at.set(key, input);
    places.set(input, { row, slot, learner: learners[row], key });
    settled.set(key, input.defaultValue);
  }
  let queue = new Map();      // key -> {learner, slot, value, seen}
  let sending = false, timer = 0, pause = 2000;

  // --- what fits -------------------------------------------------------------------------------------

  const isTest = (slot) => slot.endsWith("_test");
  const PASS = { "đ": "Đ", d: "Đ", "đạt": "Đ", dat: "Đ", "cđ": "CĐ", cd: "CĐ", "chưa đạt": "CĐ", "chua dat": "CĐ" };
  const LEVEL = { t: "T", h: "H", c: "C", htt: "T", ht: "H", cht: "C", "hoàn thành tốt": "T", "hoàn thành": "H", "chưa hoàn thành": "C" };

  // Returns {value} as it will be shown, or {why, meant}.
  function check(slot, typed) {
    const text = typed.normalize("NFC").replace(/\s+/g, " ").trim();
    if (slot === "comment") return { value: text };
    const word = text.toLowerCase();
    if (word === "") return { value: "" };
    if (["v", "vắng", "vang"].includes(word)) return { value: "v" };
    if (["0v", "v0"].includes(word)) return { value: "0v" };
    if (isTest(slot)) {
      return /^([1-9]|10)([.,]0+)?$/.test(word) ? { value: String(parseInt(word, 10)) } : { why: words.test };
    }
    if (kind === "score") {
      if (/^([0-9]|10|0[0-9])([.,]\d0*)?$/.test(word)) {
        const [whole, part] = word.replace(".", ",").split(",");
        const tenth = part ? part[0] : "0";
        const mark = Number(whole) * 10 + Number(tenth);
        if (mark <= 100) return { value: tenth === "0" ? String(Number(whole)) : `${Number(whole)},${tenth}` };
      }
      if (/^\d\d$/.test(word) && Number(word) > 10) {
        const meant = `${word[0]},${word[1]}`;
        return { why: say("comma", { meant }), meant };
      }
      return { why: words.mark };
    }
    const known = kind === "comment" ? PASS : LEVEL;
    return known[word] ? { value: known[word] } : { why: kind === "comment" ? words.pass : words.level };
  }

  // --- the queue -------------------------------------------------------------------------------------

  function keep() {
    try {
      if (queue.size) localStorage.setItem(storeKey, JSON.stringify({ at: Date.now(), cells: [...queue.values()] }));
      else localStorage.removeItem(storeKey);
    } catch { /* private mode or full: the queue lives as long as the page */ }
  }

  function tell(text, late = false) {
    said.textContent = text;
    said.classList.toggle("kg-late", late);
  }

  function mark(input, name, on) {
    input.closest("td").classList.toggle(name, on);
  }

  function waiting() {
    const count = queue.size;
    if (!count) return;
    if (navigator.onLine) tell(say("waiting", { count }));
    else tell(say("offline", { count }), true);
  }

  function commit(input) {
    const place = places.get(input);
    const found = check(place.slot, input.value);
    if (found.why) {
      input.setAttribute("aria-invalid", "true");
      input.title = found.why;
      note(input, found);
      return;
    }
    input.removeAttribute("aria-invalid");
    input.removeAttribute("title");
    unnote(input);
    if (input.value !== found.value) input.value = found.value;
    const before = queue.get(place.key);
    const value = before ? before.value : settled.get(place.key);
    if (found.value === value) return;
    enqueue(place, found.value);
  }

  function enqueue(place, value, stamp) {
    const known = stamp ?? queue.get(place.key)?.seen ?? seen.get(place.key) ?? page;
    queue.set(place.key, { learner: place.learner, slot: place.slot, value, seen: known });
    mark(at.get(place.key), "kg-wait", true);
    keep();
    waiting();
    soon(IDLE);
  }

  function soon(delay) {
    clearTimeout(timer);
    timer = setTimeout(flush, delay);
  }

  async function flush() {
    clearTimeout(timer);
    if (sending || !queue.size) return;
    if (!navigator.onLine) { waiting(); return; }
    sending = true;
    const sent = [...queue.values()];
    tell(words.saving);
    let response, body = {};
    try {
      response = await fetch(form.action, {
        method: "POST",
        credentials: "same-origin",
        redirect: "manual",
        headers: {
          "Content-Type": "application/json", Accept: "application/json",
          "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "Idempotency-Key": fresh(),
        },
        body: JSON.stringify({ changes: sent }),
      });
      if (response.type !== "opaqueredirect") body = await response.json();
    } catch {
      response = null;
    }
    sending = false;
    if (response && Array.isArray(body.saved)) {
      pause = 2000;
      take(sent, body);
      if (queue.size) soon(0);
      return;
    }
    if (response && (response.type === "opaqueredirect" || response.status === 401 || body.reason === "csrf")) {
      tell(say("signedOut", { count: queue.size }), true);
      return;
    }
    if (response && response.status < 500 && body.title) {   // a refusal of the whole save: a locked register, no right
      tell(say("refused", { why: `${body.title} ${body.detail || ""}`.trim() }), true);
      return;
    }
    waiting();
    pause = Math.min(pause * 2, 60000);
    soon(pause);
  }

  const fresh = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`);

  // Put the server's answer into the page. A cell typed again while the request was under way stays queued.
  function take(sent, body) {
    const was = new Map(sent.map((one) => [`${one.learner} ${one.slot}`, one]));
    const done = (one) => {
      const key = `${one.learner} ${one.slot}`;
      if (queue.get(key) === was.get(key)) {
        queue.delete(key);
        const input = at.get(key);
        if (input) mark(input, "kg-wait", false);
        return input;
      }
      return null;
    };
    const show = (one) => {
      const key = `${one.learner} ${one.slot}`;
      settled.set(key, one.shown);
      seen.set(key, Math.max(one.stamp, body.sequence));
      const input = done(one);
      if (!input && queue.has(key)) queue.get(key).seen = Math.max(one.stamp, body.sequence);
      if (input && document.activeElement !== input) input.value = one.shown;
      if (input) { mark(input, "kg-clash", false); input.defaultValue = one.shown; }
    };
    body.saved.forEach(show);
    body.kept.forEach(show);
    for (const one of body.refused) {
      const input = done(one);
      if (!input) continue;
      input.setAttribute("aria-invalid", "true");
      input.title = one.sentence;
      note(input, { why: one.sentence, meant: one.suggestion });
    }
    for (const one of body.conflicts) {
      const input = done(one);
      if (input) clash(input, one);
    }
    const rows = new Map(learners.map((uid, row) => [uid, row]));
    for (const line of body.lines) {
      const place = [...places.values()].find((one) => one.row === rows.get(line.learner));
      const out = place && at.get(place.key).closest("tr").querySelector(".kg-out");
      if (out && out.textContent !== line.outcome) {
        out.textContent = line.outcome;
        out.classList.remove("k-changed");
        void out.offsetWidth;
        out.classList.add("k-changed");
      }
    }
    keep();
    const late = body.conflicts.length || body.refused.length;
    tell(body.kept.length ? say("kept", { count: body.kept.length }) : say("saved", { at: body.at }), Boolean(late));
    count();
  }

  function count() {
    if (!missing) return;
    let gaps = 0;
    for (const [input, place] of places) {
      if (place.slot !== "comment" && !input.closest("tr").classList.contains("kg-left") && ["", "v"].includes(input.value.trim())) gaps += 1;
    }
    missing.textContent = gaps ? say("missing", { count: gaps }) : words.full;
  }

  // --- notes: what does not fit, and cells two people wrote -------------------------------------------

  const noteOf = new Map();

  function unnote(input) {
    noteOf.get(input)?.remove();
    noteOf.delete(input);
    if (!noteOf.size) notes.replaceChildren();
  }

  function row(input, text, buttons) {
    unnote(input);
    let list = notes.querySelector("ul");
    if (!list) {
      const box = document.createElement("div");
      box.className = "k-alert k-alert-warn";
      box.setAttribute("role", "alert");
      list = document.createElement("ul");
      list.className = "kg-clashes";
      const inner = document.createElement("div");
      inner.append(list);
      box.append(inner);
      notes.replaceChildren(box);
    }
    const item = document.createElement("li");
    const sentence = document.createElement("span");
    sentence.textContent = text;
    item.append(sentence);
    for (const [label, act] of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.textContent = label;
      button.addEventListener("click", () => { unnote(input); act(); });
      item.append(button);
    }
    list.append(item);
    noteOf.set(input, item);
  }

  const nameOf = (input) => input.closest("tr").querySelector("th a, th").textContent.trim();
  const cellOf = (input) => document.getElementById(`h${places.get(input).slot}`).querySelector("abbr").title.toLowerCase();

  function note(input, found) {
    const buttons = found.meant ? [[say("use", { meant: found.meant }), () => { input.value = found.meant; commit(input); }]] : [];
    row(input, `${nameOf(input)}, ${cellOf(input)} “${input.value}”: ${found.why}`, buttons);
  }

  function clash(input, one) {
    const place = places.get(input);
    settled.set(place.key, one.shown);
    seen.set(place.key, one.stamp);
    mark(input, "kg-clash", true);
    const theirs = one.shown || words.empty, mine = one.mine_shown || words.empty;
    row(input, say("clash", { name: nameOf(input), cell: cellOf(input), who: one.who || words.somebody, theirs, at: one.at, mine }), [
      [say("keepTheirs", { theirs }), () => { input.value = one.shown; input.removeAttribute("aria-invalid"); mark(input, "kg-clash", false); count(); }],
      [say("takeMine", { mine }), () => { input.value = one.mine_shown; mark(input, "kg-clash", false); enqueue(place, one.mine_shown, one.stamp); soon(0); }],
    ]);
  }

  // --- keyboard --------------------------------------------------------------------------------------

  const inRow = (row, slot) => cells.find((input) => places.get(input).row === row && places.get(input).slot === slot);

  function step(input, down) {
    const { row, slot } = places.get(input);
    const column = cells.filter((other) => places.get(other).slot === slot);
    const next = column[column.indexOf(input) + down];
    if (next) return next;
    const other = slots[slots.indexOf(slot) + down];
    if (other === undefined) return null;
    flush();
    const beside = cells.filter((one) => places.get(one).slot === other);
    return down > 0 ? beside[0] : beside[beside.length - 1];
  }

  function aside(input, by) {
    const { row, slot } = places.get(input);
    const all = cells.filter((one) => places.get(one).row === row);
    return all[all.findIndex((one) => places.get(one).slot === slot) + by] || null;
  }

  const whole = (input) => input.selectionStart === 0 && input.selectionEnd === input.value.length;
  const atStart = (input) => whole(input) || (input.selectionStart === 0 && input.selectionEnd === 0);
  const atEnd = (input) => whole(input) || input.selectionStart === input.value.length;

  form.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!places.has(input) || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    let next = null;
    if (event.key === "Enter") next = step(input, event.shiftKey ? -1 : 1);
    else if (event.key === "ArrowDown") next = step(input, 1);
    else if (event.key === "ArrowUp") next = step(input, -1);
    else if (event.key === "ArrowLeft" && atStart(input)) next = aside(input, -1);
    else if (event.key === "ArrowRight" && atEnd(input)) next = aside(input, 1);
    else if (event.key === "Escape") {
      input.value = queue.get(places.get(input).key)?.value ?? settled.get(places.get(input).key);
      input.removeAttribute("aria-invalid");
      unnote(input);
      input.select();
      return;
    } else return;
    event.preventDefault();
    if (next) next.focus();
    else { commit(input); flush(); }
  });
  form.addEventListener("focusin", (event) => { if (places.has(event.target)) event.target.select(); });
  form.addEventListener("focusout", (event) => {
    if (!places.has(event.target)) return;
    commit(event.target);
    count();
    const to = places.get(event.relatedTarget);
    if (queue.size && (!to || to.slot !== places.get(event.target).slot)) soon(50);  // the column is left: send it
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (places.has(document.activeElement)) commit(document.activeElement);
    pause = 2000;
    flush();
  });

  // --- paste -----------------------------------------------------------------------------------------

  // Rows and columns of a block copied from a spreadsheet: tabs and line ends, quotes around cells that hold them.
  function block(text) {
    const rows = [[""]];
    let quoted = false;
    for (let place = 0; place < text.length; place += 1) {
      const letter = text[place], last = rows[rows.length - 1];
      if (quoted) {
        if (letter === '"' && text[place + 1] === '"') { last[last.length - 1] += '"'; place += 1; }
        else if (letter === '"') quoted = false;
        else last[last.length - 1] += letter;
      } else if (letter === '"' && last[last.length - 1] === "") quoted = true;
      else if (letter === "\t") last.push("");
      else if (letter === "\n") rows.push([""]);
      else if (letter !== "\r") last[last.length - 1] += letter;
    }
    if (rows.length > 1 && rows[rows.length - 1].length === 1 && rows[rows.length - 1][0] === "") rows.pop();
    return rows;
  }

  form.addEventListener("paste", (event) => {
    const input = event.target;
    if (!places.has(input)) return;
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.replace(/[\r\n]+$/, ""))) return;
    event.preventDefault();
    preview(input, block(text));
  });

  function preview(start, rows) {
    const from = places.get(start);
    const order = [...new Set(cells.map((input) => places.get(input).row))];
    const firstRow = order.indexOf(from.row), firstSlot = slots.indexOf(from.slot);
    const width = Math.max(...rows.map((one) => one.length));
    const used = slots.slice(firstSlot, firstSlot + width);
    const good = [], bad = [];
    let out = 0, over = 0;
    const table = document.createElement("table");
    table.className = "k-table k-dense k-keep";
    const head = table.createTHead().insertRow();
    const heading = (text) => { const cell = document.createElement("th"); cell.scope = "col"; cell.textContent = text; head.append(cell); };
    heading(form.querySelector("thead .kg-name").textContent);
    used.forEach((slot) => heading(document.getElementById(`h${slot}`).textContent));
    const bodyOf = table.createTBody();
    rows.forEach((values, down) => {
      const row = order[firstRow + down];
      if (row === undefined) { out += values.length; return; }
      out += Math.max(0, values.length - used.length);
      const line = bodyOf.insertRow();
      const name = document.createElement("th");
      name.scope = "row";
      line.append(name);
      used.forEach((slot, right) => {
        const target = inRow(row, slot);
        const cell = line.insertCell();
        if (values[right] === undefined) return;
        if (!target) { out += 1; cell.textContent = values[right]; cell.className = "kg-bad"; return; }
        name.textContent = nameOf(target);
        const found = check(slot, values[right]);
        cell.textContent = found.why ? values[right] : found.value;
        if (found.why) {
          cell.className = "kg-bad";
          cell.title = found.why;
          bad.push(`${nameOf(target)}, ${cellOf(target)} “${values[right]}”: ${found.why}`);
          return;
        }
        if (target.value !== "" && target.value !== found.value) { over += 1; cell.className = "kg-over"; cell.title = `${target.value} → ${found.value}`; }
        if (target.value !== found.value) good.push([target, found.value]);
      });
    });
    ask(table, good, bad, out, over, start);
  }

  function ask(table, good, bad, out, over, start) {
    const dialog = document.createElement("dialog");
    dialog.className = "kg-paste";
    dialog.setAttribute("aria-labelledby", "kg-paste-title");
    const paragraph = (text) => { const one = document.createElement("p"); one.textContent = text; dialog.append(one); };
    const title = document.createElement("h2");
    title.id = "kg-paste-title";
    title.textContent = words.pasteTitle;
    dialog.append(title);
    paragraph(say("pasteFits", { count: good.length, over }));
    if (bad.length) {
      paragraph(say("pasteBad", { count: bad.length }));
      const list = document.createElement("ul");
      for (const text of bad.slice(0, 20)) { const item = document.createElement("li"); item.textContent = text; list.append(item); }
      dialog.append(list);
    }
    if (out) paragraph(say("pasteOut", { count: out }));
    const box = document.createElement("div");
    box.className = "kg-preview";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", words.pasteTitle);
    box.append(table);
    dialog.append(box);
    const actions = document.createElement("div");
    actions.className = "k-form-actions";
    const button = (label, css, act) => {
      const one = document.createElement("button");
      one.type = "button";
      one.className = `btn ${css}`;
      one.textContent = label;
      one.addEventListener("click", () => { dialog.close(); act(); });
      actions.append(one);
      return one;
    };
    const yes = button(say("pasteTake", { count: good.length }), "btn-primary", () => {
      for (const [input, value] of good) { input.value = value; commit(input); }
      count();
      flush();
    });
    yes.disabled = good.length === 0;
    button(words.cancel, "", () => {});
    dialog.append(actions);
    dialog.addEventListener("close", () => { dialog.remove(); start.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    (yes.disabled ? actions.lastChild : yes).focus();
  }

  // --- begin: what a lost connection or a closed lid left here -----------------------------------------

  try {
    const kept = JSON.parse(localStorage.getItem(storeKey) || "null");
    if (kept && Date.now() - kept.at < 7 * DAY) {
      for (const one of kept.cells) {
        const key = `${one.learner} ${one.slot}`;
        const input = at.get(key);
        if (!input || input.value === one.value) continue;
        queue.set(key, one);
        input.value = one.value;
        mark(input, "kg-wait", true);
      }
    }
  } catch { /* unreadable: nothing to bring back */ }
  keep();
  if (queue.size) { waiting(); soon(0); }
  window.addEventListener("online", () => { pause = 2000; flush(); });
  window.addEventListener("offline", waiting);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") flush(); });
  count();
}
