// The plot of two figures: every spec that is shown, the Pareto front of those, what is picked.

const POINTS = 0; // the trace that is hovered and clicked

function makeAxes() {
  const option = (name, i) => element("option", { value: i }, name);
  const index = (name) => Math.max(0, data.figures.indexOf(name));
  for (const [id, [name, better]] of [["x", data.axes[0]], ["y", data.axes[1]]]) {
    byId(id).append(...data.figures.map(option));
    byId(id).value = index(name);
    byId(`${id}-better`).value = better;
  }
  byId("axes").addEventListener("change", draw);
}

function axis(id) {
  const figure = Number(byId(id).value);
  return {
    name: data.figures[figure],
    less: byId(`${id}-better`).value === "less",
    of: (spec) => spec.figures[figure],
    spread: (spec) => spec.spreads[figure],
  };
}

/** The specs that no other one beats: as good in both figures, and better in one. */
function paretoFront(specs, x, y) {
  const gain = (axis, a, b) => (axis.less ? axis.of(b) - axis.of(a) : axis.of(a) - axis.of(b));
  const beats = (a, b) => {
    const [across, up] = [gain(x, a, b), gain(y, a, b)];
    return across >= 0 && up >= 0 && across + up > 0;
  };
  const front = specs.filter((spec) => !specs.some((other) => beats(other, spec)));
  return front.sort((a, b) => gain(x, b, a) || gain(y, b, a));
}

/** A color of the style, as the browser computes it now. */
function color(name) {
  const probe = element("span", { style: `color: var(--${name})` });
  document.body.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

/** Text that the plotting library does not read as tags. */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const still = matchMedia("(pointer: coarse)").matches; // where to drag is to scroll the page
let places = new Map(); // the specs in the plot by where their points are

function placeOf(spec) {
  return [...places.values()].find((specs) => specs.includes(spec));
}

/** The names of the specs of one point, as lines. */
function named(specs) {
  const names = specs.slice(0, 6).map((spec) => escaped(spec.name));
  const more = specs.length > 6 ? `<br>and ${specs.length - 6} more` : "";
  return names.join("<br>") + more;
}

function draw() {
  if (!window.Plotly || !data.figures.length) return;
  const [x, y] = [axis("x"), axis("y")];
  const drawn = (spec) => x.of(spec) > 0 && y.of(spec) > 0;
  const specs = shown.filter(drawn);
  const front = paretoFront(specs, x, y);
  places = Map.groupBy(specs, (spec) => `${x.of(spec)} ${y.of(spec)}`);
  const traces = [points(specs, x, y), line(front, x, y), rings([...picked].filter(drawn), x, y)];
  window.Plotly.react("plot", traces, layout(x, y), { displayModeBar: false, responsive: true });
  tellFront(specs.length, front.length, x, y);
}

function points(specs, x, y) {
  const said = (letter, { name }) => `${escaped(name)} %{${letter}:.4~s}`;
  return {
    x: specs.map(x.of),
    y: specs.map(y.of),
    customdata: specs.map((spec) => spec.index),
    text: specs.map((spec) => named(placeOf(spec))),
    hovertemplate: `<b>%{text}</b><br>${said("x", x)}<br>${said("y", y)}<extra></extra>`,
    mode: "markers",
    error_x: bars(specs, x),
    error_y: bars(specs, y),
    marker: { color: color("point"), size: 8, opacity: 0.75, line: { width: 0 } },
  };
}

/** Bars from where to where a figure goes, of those that have a spread. */
function bars(specs, axis) {
  const reach = (spec, end, sign) => {
    const spread = axis.spread(spec);
    return spread ? sign * (spread[end] - axis.of(spec)) : 0;
  };
  return {
    type: "data",
    symmetric: false,
    array: specs.map((spec) => reach(spec, 1, 1)),
    arrayminus: specs.map((spec) => reach(spec, 0, -1)),
    visible: specs.some(axis.spread),
    color: color("point"),
    thickness: 1.5,
    width: 3,
  };
}

function line(front, x, y) {
  return {
    x: front.map(x.of),
    y: front.map(y.of),
    hoverinfo: "skip",
    mode: "lines+markers",
    line: { color: color("accent"), width: 1.5, shape: "hv" },
    marker: { color: color("accent"), size: 7 },
  };
}

/** Where the name of a point stands: toward the middle of the plot, above and below by turns. */
function beside(spec, i, x) {
  const across = shown.map((other) => Math.log(x.of(other))).filter(Number.isFinite);
  const middle = (Math.min(...across) + Math.max(...across)) / 2;
  return `${i % 2 ? "bottom" : "top"} ${Math.log(x.of(spec)) > middle ? "left" : "right"}`;
}

/** Rings with names around the points that are picked. */
function rings(specs, x, y) {
  const halo = `0 0 3px ${color("surface")}, `.repeat(4).slice(0, -2); // names lie on points
  return {
    x: specs.map(x.of),
    y: specs.map(y.of),
    text: specs.map((spec) => escaped(spec.name)),
    hoverinfo: "skip",
    mode: "markers+text",
    textposition: specs.map((spec, i) => beside(spec, i, x)),
    textfont: { color: color("text"), size: 13, weight: 600, shadow: halo },
    marker: { color: color("surface"), size: 13, line: { color: color("accent"), width: 3 } },
  };
}

function layout(x, y) {
  const family = getComputedStyle(document.body).fontFamily;
  const scale = (axis, nticks) => ({
    type: "log",
    title: { text: escaped(axis.name), font: { size: 13 }, standoff: 10 },
    tickformat: "~s",
    nticks,
    gridcolor: color("line"),
    linecolor: color("line"),
    zeroline: false,
    automargin: true,
  });
  return {
    xaxis: scale(x, Math.max(4, Math.floor(byId("plot").clientWidth / 100))),
    yaxis: scale(y, 6),
    uirevision: `${x.name} ${y.name}`,
    dragmode: still ? false : "zoom",
    hovermode: "closest",
    showlegend: false,
    margin: { l: 64, r: 20, t: 20, b: 52 },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    font: { family, color: color("quiet") },
    hoverlabel: {
      bgcolor: color("surface"),
      bordercolor: color("line"),
      font: { color: color("text"), family },
    },
  };
}

function tellFront(drawn, front, x, y) {
  const side = (axis) => `at ${axis.less ? "most" : "least"} as much in ${axis.name}`;
  const left = shown.length - drawn;
  const said = [
    `The line is the Pareto front, ${front} of the ${drawn} specs in the plot:`,
    `none of them is beaten by another with ${side(x)} and ${side(y)}.`,
    left ? `${left} without a positive figure cannot be on these axes.` : "",
    "A click on a point picks its spec, and where several share one, the next of them.",
    still ? "" : "Drag to zoom in, click twice to go back.",
  ];
  byId("front").textContent = said.filter(Boolean).join(" ");
}

/** Show the point of the row on which the keyboard is, or none. */
function pointAt(spec) {
  if (!spec) {
    if (window.Plotly) window.Plotly.Fx.unhover("plot");
    return;
  }
  const drawn = byId("plot").data?.[POINTS];
  const pointNumber = drawn ? drawn.customdata.indexOf(spec.index) : -1;
  if (pointNumber >= 0) window.Plotly.Fx.hover("plot", [{ curveNumber: POINTS, pointNumber }]);
}

/** Start the library, of which this is the text, and the plot. */
function makePlot(library) {
  document.head.append(element("script", {}, library)); // sooner there than by a blob: address
  draw();
  byId("plot").on("plotly_click", ({ points: [point] }) => {
    const here = placeOf(data.specs[point.customdata]);
    const next = here.find((spec) => !picked.has(spec));
    if (next) pick(next, true);
    else here.forEach((spec) => pick(spec, false));
    reveal(next ?? here[0]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
