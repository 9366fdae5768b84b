// The table of all specs: filter, order, and the row on which the keyboard is.

const COLUMNS = ["name", "family", ...data.figures];
const FACTORS = { "": 1, k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12 };
const collator = new Intl.Collator("en", { numeric: true });
let order = { column: -1, direction: 1 };
let typing; // the timer that draws once nothing more is typed
let shown = data.specs; // those that pass the filter, in the order of the table

function value(spec, column) {
  return column < 2 ? spec[COLUMNS[column]] : spec.figures[column - 2];
}

function makeTable() {
  const headings = COLUMNS.map((name, column) => {
    const button = element("button", { type: "button" }, name);
    button.addEventListener("click", () => sortBy(column));
    return element("th", { scope: "col", class: column < 2 ? "" : "number" }, button);
  });
  byId("columns").append(element("tr", {}, ...headings));
  const units = data.figures.map((_, i) => data.specs.some((s) => s.figures[i] >= 1e6));
  data.specs.forEach((spec) => makeRow(spec, units));
  byId("rows").append(...data.specs.map((spec) => spec.row));
  byId("rows").addEventListener("keydown", moveOn);
  byId("filter").addEventListener("input", () => {
    filter();
    clearTimeout(typing);
    typing = setTimeout(draw, 80);
  });
  stand(data.specs[0]);
}

function makeRow(spec, units) {
  spec.box = element("input", { type: "checkbox", tabindex: "-1" });
  spec.box.addEventListener("change", () => pick(spec, spec.box.checked));
  spec.box.addEventListener("focus", () => {
    stand(spec);
    pointAt(spec);
  });
  spec.box.addEventListener("blur", () => pointAt(null));
  const label = element("label", {}, spec.box, isolated(spec.name));
  const figures = spec.figures.map((figure, i) => {
    const [text, unit] = figure === null ? ["", ""] : counted(figure);
    const cell = element("td", { class: "number" }, text);
    if (units[i]) cell.append(element("span", { class: "unit" }, unit));
    return cell;
  });
  const family = element("td", {}, isolated(spec.family));
  spec.row = element("tr", {}, element("th", { scope: "row" }, label), family, ...figures);
  spec.row.addEventListener("click", (event) => {
    if (!event.target.closest("label")) spec.box.click();
  });
}

/** Bring the spec's row to where it is seen, without moving the page. */
function reveal(spec) {
  const room = byId("rows").closest(".scroll");
  room.scrollTop = spec.row.offsetTop - room.clientHeight / 3;
}

/** Make the spec's the one row that Tab reaches. */
function stand(spec) {
  data.specs.forEach((other) => (other.box.tabIndex = other === spec ? 0 : -1));
}

function moveOn(event) {
  const at = shown.findIndex((spec) => spec.box === event.target);
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: Math.min(at + 10, shown.length - 1),
    PageUp: Math.max(at - 10, 0),
    Home: 0,
    End: shown.length - 1,
  }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  shown[to]?.box.focus();
}

function sortBy(column) {
  const again = order.column === column;
  order = { column, direction: again ? -order.direction : 1 };
  [...byId("columns").rows[0].cells].forEach((heading, i) => {
    if (i !== column) heading.removeAttribute("aria-sort");
    else heading.ariaSort = order.direction > 0 ? "ascending" : "descending";
  });
  shown = sorted(shown);
  byId("rows").append(...sorted(data.specs).map((spec) => spec.row));
}

/** The specs in the order of the table; those without the figure come last. */
function sorted(specs) {
  const { column, direction } = order;
  if (column < 0) return specs;
  const missing = (spec) => value(spec, column) === null;
  const compare = column < 2 ? collator.compare : (a, b) => a - b;
  return specs.toSorted(
    (a, b) =>
      missing(a) - missing(b) ||
      direction * compare(value(a, column), value(b, column)) ||
      a.index - b.index,
  );
}

/** What a filter asks: functions of a spec, and what in it cannot be understood. */
function asked(text) {
  const tests = [];
  const unclear = [];
  const plain = (word) => word.toLowerCase().replace(/[^a-z0-9]/g, "");
  for (const word of text.replace(/\s*([<>]=?|=)\s*/g, "$1").match(/\S+/g) ?? []) {
    const [, name, sign, limit] = word.match(/^(.*?)([<>]=?|=)(.*)$/) ?? [];
    if (sign === undefined) {
      const part = word.toLowerCase();
      tests.push((s) => `${s.name}\n${s.title}\n${s.family}`.toLowerCase().includes(part));
      continue;
    }
    const column = data.figures.findIndex((figure) => plain(figure) === plain(name));
    const [, digits, unit] = limit.match(/^(\d+\.?\d*|\.\d+)([kmgbt]?)$/i) ?? [];
    if (column < 0) unclear.push(`no figure is called “${name}”`);
    else if (digits === undefined) unclear.push(`“${word}” needs a number, such as 30M`);
    else tests.push(limited(column, sign, Number(digits) * FACTORS[unit.toLowerCase()]));
  }
  return { tests, unclear };
}

function limited(column, sign, limit) {
  const holds = {
    "<": (figure) => figure < limit,
    "<=": (figure) => figure <= limit,
    ">": (figure) => figure > limit,
    ">=": (figure) => figure >= limit,
    "=": (figure) => figure === limit,
  }[sign];
  return (spec) => spec.figures[column] !== null && holds(spec.figures[column]);
}

function filter() {
  const { tests, unclear } = asked(byId("filter").value);
  shown = sorted(data.specs).filter((spec) => tests.every((test) => test(spec)));
  const kept = new Set(shown);
  data.specs.forEach((spec) => (spec.row.hidden = !kept.has(spec)));
  if (!shown.some((spec) => spec.box.tabIndex === 0) && shown.length) stand(shown[0]);
  const said = [`${shown.length} of ${data.specs.length} shown`, ...unclear].join("; ");
  byId("shown").textContent = said;
  byId("filter").setAttribute("aria-invalid", unclear.length > 0);
}
