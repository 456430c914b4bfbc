// The map of the tree: a press on a place opens it, as its line in the table does.
// The slider of days: its month is told while it is moved, and asked for when it is let go.
// "Phóng to": the same drawing as a chart that can be moved and enlarged; its code is fetched at that press only.

const visit = (address) => address && window.location.assign(address);

function placesOf(svg) {
  return [...svg.querySelectorAll("g")].map((group) => {
    const circle = group.querySelector("circle");
    const [x, y, r] = ["cx", "cy", "r"].map((name) => Number(circle.getAttribute(name)));
    const [name, told = ""] = group.querySelector("title").textContent.split(": ");
    return { name, told, address: group.dataset.url, value: [x, y], symbolSize: 2 * r };
  });
}

// The place nearest to a point, both in hundredths of the drawing: what is enlarged stays in sight.
function nearestTo(point, places, frame) {
  const at = places.map(({ value }) => value.map((one, axis) => (100 * one) / frame[axis]));
  const far = (one) => (one[0] - point[0]) ** 2 + (one[1] - point[1]) ** 2;
  return at.reduce((best, one) => (far(one) < far(best) ? one : best));
}

function optionsOf(svg, places, colours) {
  const { width, height } = svg.viewBox.baseVal;
  const axis = { type: "value", show: false, min: 0 };
  const inside = { type: "inside", filterMode: "none", minSpan: 4 };
  const label = { show: true, position: "right", formatter: "{b}", color: colours.ink, fontFamily: colours.font, fontSize: 14 };
  return {
    animation: false,
    aria: { enabled: true, label: { description: svg.closest("section").querySelector("h2").textContent } },
    grid: { left: 0, right: 0, top: 0, bottom: 0 },
    xAxis: { ...axis, max: width },
    yAxis: { ...axis, max: height, inverse: true },
    dataZoom: [{ ...inside, xAxisIndex: 0 }, { ...inside, yAxisIndex: 0 }],
    tooltip: { renderMode: "richText", confine: true, formatter: ({ data }) => (data.told ? `${data.name}\n${data.told}` : data.name) },
    series: [{
      type: "scatter", data: places, label, labelLayout: { hideOverlap: true },
      itemStyle: { color: colours.accent, opacity: 0.6, borderColor: "#fff" }, emphasis: { itemStyle: { opacity: 0.95 } },
    }],
  };
}

async function enlarge(part, svg, tools) {
  if (!window.echarts) await import(part.dataset.charts);
  const frame = document.createElement("div");
  frame.className = "ko-chart";
  svg.after(frame);
  const { width, height } = svg.viewBox.baseVal;
  frame.style.aspectRatio = `${width} / ${height}`;
  svg.setAttribute("hidden", "");
  const places = placesOf(svg);
  const ink = getComputedStyle(part);
  const chart = window.echarts.init(frame);
  chart.setOption(optionsOf(svg, places, { ink: ink.color, font: ink.fontFamily, accent: ink.getPropertyValue("--k-accent").trim() }));
  chart.on("click", ({ data }) => visit(data.address));
  new ResizeObserver(() => chart.resize()).observe(frame);
  tools.addEventListener("click", (event) => {
    const factor = Number(event.target.closest("[data-zoom]")?.dataset.zoom);
    if (Number.isNaN(factor)) return;
    const shown = chart.getOption().dataZoom;
    const nearest = nearestTo(shown.map(({ start, end }) => (start + end) / 2), places, [width, height]);
    chart.dispatchAction({
      type: "dataZoom",
      batch: shown.map(({ start, end }, dataZoomIndex) => {
        const half = factor ? Math.min(50, Math.max(2, ((end - start) * factor) / 2)) : 50;
        const from = Math.min(Math.max(0, nearest[dataZoomIndex] - half), 100 - 2 * half);
        return { dataZoomIndex, start: from, end: from + 2 * half };
      }),
    });
  });
}

export default function map(part) {
  part.addEventListener("click", (event) => visit(event.target.closest("[data-url]")?.dataset.url));

  const [svg, asked, tools] = ["svg[role=img]", "[data-enlarge]", "[data-tools]"].map((one) => part.querySelector(one));
  if (asked) {
    asked.hidden = false;
    asked.addEventListener("click", async () => {
      asked.disabled = true;
      try {
        await enlarge(part, svg, tools);
        asked.hidden = true;
        tools.hidden = false;
        tools.querySelector("button").focus();
      } catch {
        asked.disabled = false; // no network: the drawing stays, and she may press again
      }
    });
  }

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
