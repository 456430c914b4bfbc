// Dragging on the board of a timetable. While a lesson is held, the page with that lesson chosen is asked for, and its
// cells' words and colours are laid on the cells here; dropping sends the same plain form a keyboard would.

export default function board(part) {
  const form = part.querySelector("#kt-move");
  const cells = new Map([...part.querySelectorAll("td[data-place]")].map((cell) => [cell.dataset.place, cell]));
  const shades = ["kt-good", "kt-warn", "kt-bad", "kt-same", "kt-here"];
  let held = "";

  const clear = () => {
    held = "";
    cells.forEach((cell) => {
      cell.classList.remove(...shades, "kt-over");
      cell.querySelectorAll(".kt-option").forEach((note) => note.remove());
    });
  };

  const lay = (key, text) => {
    if (held !== key) return;
    const answer = new DOMParser().parseFromString(text, "text/html");
    answer.querySelectorAll("td[data-place]").forEach((there) => {
      const cell = cells.get(there.dataset.place);
      const note = there.querySelector(".kt-option");
      if (!cell || !note) return;
      cell.classList.add(...shades.filter((shade) => there.classList.contains(shade)));
      const word = document.createElement("span");
      word.className = "kt-option small";
      word.textContent = note.textContent.trim();
      cell.append(word);
    });
  };

  part.addEventListener("dragstart", (event) => {
    const lesson = event.target.closest("[data-key]");
    if (!lesson || !form) return;
    clear();
    held = lesson.dataset.key;
    event.dataTransfer.setData("text/plain", held);
    event.dataTransfer.effectAllowed = "move";
    const key = held;
    fetch(part.dataset.address + encodeURIComponent(key), { headers: { "X-Khue-Part": "grid" } })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .then((text) => lay(key, text))
      .catch(() => {});
  });
  part.addEventListener("dragover", (event) => {
    const cell = event.target.closest("td[data-place]");
    if (!held || !cell || cell.classList.contains("kt-shut")) return;
    event.preventDefault();
    cells.forEach((other) => other.classList.toggle("kt-over", other === cell));
  });
  part.addEventListener("drop", (event) => {
    const cell = event.target.closest("td[data-place]");
    if (!held || !cell) return;
    event.preventDefault();
    form.elements.key.value = held;
    const place = document.createElement("input");
    place.type = "hidden";
    place.name = "place";
    place.value = cell.dataset.place;
    form.append(place);
    form.requestSubmit();
  });
  part.addEventListener("dragend", () => { if (!form.querySelector('input[name="place"]')) clear(); });
}
