// The map of the tree: a press on a place opens it, as its line in the table does.
// The slider of days: its month is told while it is moved, and asked for when it is let go.

export default function map(part) {
  part.addEventListener("click", (event) => {
    const place = event.target.closest("[data-url]");
    if (place) window.location.assign(place.dataset.url);
  });

  const slider = part.querySelector("input[type=range]");
  const told = part.querySelector("output");
  if (!slider || !told) return;
  const first = Number(slider.dataset.year) * 12;
  slider.addEventListener("input", () => {
    const month = first + Number(slider.value);
    told.textContent = `${(month % 12) + 1}/${Math.floor(month / 12)}`;
  });
  slider.addEventListener("change", () => slider.form.requestSubmit());
}
