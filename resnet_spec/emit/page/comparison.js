// The picked specs side by side: what they are to the first of them, and each cell that differs.

// What differs where one of the other digests does.
const OTHERWISE = {
  training: "what training adds differs",
  init: "first weights differ",
  image: "the stated image or the sizes that fit differ",
};

async function compare() {
  const specs = [...picked];
  byId("comparison").hidden = specs.length < 2;
  if (specs.length < 2) return;
  const found = await Promise.all(specs.map(rest));
  if (specs.length !== picked.size || specs.some((spec) => !picked.has(spec))) return;
  byId("relations").replaceChildren(
    ...specs.slice(1).map((spec, i) => relation(specs[0], spec, found[0].digests, found[i + 1].digests)),
  );
  const names = specs.map((spec) => element("th", { scope: "col" }, element("bdi", {}, spec.name)));
  const change = specs.length === 2 ? [element("th", { scope: "col", class: "number" }, "change")] : [];
  byId("compared").replaceChildren(element("tr", {}, element("th", { scope: "col" }, "what differs"), ...names, ...change));
  byId("differences").replaceChildren(...differences(specs, found));
}

/** A sentence on two networks: whether the weights of one load into the other, and then what. */
function relation(first, other, a, b) {
  const alike = (respect) => a[respect] === b[respect];
  const loads = "every weight loads, and the output";
  const [layout, same] = [alike("layout"), alike("function")];
  const said = [
    layout && same && `same function: ${loads} is the same`,
    layout && !same && `${loads} differs`,
    !layout && same && "same function, of tensors by other names or shapes",
    !layout && !same && "another network: the weights of one do not fit the other",
    ...Object.keys(OTHERWISE).map((respect) => !alike(respect) && OTHERWISE[respect]),
  ];
  const name = ({ name }) => element("bdi", {}, element("strong", {}, name));
  const sentence = said.filter(Boolean).join("; ");
  return element("p", {}, name(first), " and ", name(other), `: ${sentence}.`);
}

/** The rows of the cells in which the specs differ, below the name of their table. */
function differences(specs, found) {
  const titles = new Set(found.flatMap(({ tables }) => tables.map(({ name }) => name)));
  return [...titles].flatMap((title) => {
    const each = found.map(({ tables }) => cells(tables.find(({ name }) => name === title)));
    const keys = [...new Set(each.flatMap((known) => [...known.keys()]))];
    const rows = keys.filter((key) => each.some((known) => known.get(key) !== each[0].get(key)));
    if (!rows.length) return [];
    const heading = element("th", { scope: "rowgroup", colspan: specs.length + 1 + (specs.length === 2) }, title);
    return [element("tr", { class: "group" }, heading), ...rows.map((key) => difference(key, each.map((known) => known.get(key))))];
  });
}

/** The cells of a table by what they are of, as "layer1, MACs". */
function cells(table) {
  const found = new Map();
  for (const [first, ...others] of table?.rows ?? []) {
    others.forEach((cell, i) => {
      const column = table.columns[i + 1];
      found.set(others.length > 1 ? `${first}, ${column}` : String(first), cell);
    });
  }
  return found;
}

function difference(key, values) {
  const tells = values.every((value) => typeof value === "number");
  const row = values.map((value) => {
    const shown = value === undefined ? [element("span", { class: "quiet" }, "–")] : written(value);
    return element("td", { class: tells ? "number" : "" }, ...shown);
  });
  if (values.length === 2) row.push(element("td", { class: "number quiet" }, tells ? change(...values) : ""));
  return element("tr", {}, element("th", { scope: "row" }, element("bdi", {}, key)), ...row);
}

function change(from, to) {
  if (!from) return "";
  const percent = Math.abs((100 * (to - from)) / from);
  const digits = percent < 1 ? Number(percent.toPrecision(2)) : exact.format(percent.toFixed(1));
  return `${to > from ? "+" : "−"}${digits} %`;
}
