// The picked specs side by side: what they are to the first of them, and each cell that differs.

// What is said where a digest differs that is not of weights or outputs.
const OTHERWISE = {
  training: "what training adds differs",
  init: "first weights differ",
  image: "the stated image or the sizes that fit differ",
};
const tenths = new Intl.NumberFormat("en-US", {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});

async function compare() {
  const specs = [...picked];
  byId("comparison").hidden = specs.length < 2;
  const found = await Promise.all(specs.map(rest));
  const still = specs.length === picked.size && specs.every((spec) => picked.has(spec));
  if (specs.length < 2 || !still) return;
  const [first, ...others] = specs.map((spec, i) => ({ ...spec, ...found[i] }));
  byId("relations").replaceChildren(...others.map((other) => relation(first, other)));
  const names = specs.map((spec) => columnHead(isolated(spec.name)));
  if (specs.length === 2) names.push(columnHead("change"));
  byId("compared").replaceChildren(
    element("tr", {}, columnHead("what differs"), ...names),
  );
  byId("differences").replaceChildren(...differences(found.map(({ tables }) => tables)));
}

function columnHead(content) {
  return element("th", { scope: "col" }, content);
}

/** A sentence on two networks: whether weights of one load into the other, and then what. */
function relation(first, other) {
  const alike = (respect) => first.digests[respect] === other.digests[respect];
  const [fits, same] = [alike("layout"), alike("function")];
  const loads = "every weight loads, and the output";
  const said = [
    fits && same && `same function: ${loads} is the same`,
    fits && !same && `${loads} differs`,
    !fits && same && "same function, of tensors by other names or shapes",
    !fits && !same && "another network: the weights of one do not fit the other",
    ...Object.keys(OTHERWISE).map((respect) => !alike(respect) && OTHERWISE[respect]),
  ];
  const name = (spec) => element("strong", {}, isolated(spec.name));
  const sentence = said.filter(Boolean).join("; ");
  return element("p", {}, name(first), " and ", name(other), `: ${sentence}.`);
}

/** Rows of the cells that differ, each table's under its name; of each spec its tables. */
function differences(each) {
  const names = new Set(each.flatMap((tables) => tables.map(({ name }) => name)));
  return [...names].flatMap((name) => {
    const known = each.map((tables) => cells(tables.find((table) => table.name === name)));
    const keys = new Set(known.flatMap((of) => [...of.keys()]));
    const rows = [...keys]
      .map((key) => [key, known.map((of) => of.get(key))])
      .filter(([, values]) => values.some((value) => value !== values[0]))
      .map(([key, values]) => difference(key, values));
    const columns = 1 + each.length + (each.length === 2);
    const heading = element("th", { scope: "rowgroup", colspan: columns }, name);
    return rows.length ? [element("tr", { class: "group" }, heading), ...rows] : [];
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
  const numbers = values.every((value) => typeof value === "number");
  const row = values.map((value) => {
    const shown = value === undefined ? ["–"] : written(value);
    return element("td", { class: numbers ? "number" : "" }, ...shown);
  });
  if (values.length === 2) {
    row.push(element("td", { class: "number quiet" }, numbers ? change(...values) : ""));
  }
  return element("tr", {}, element("th", { scope: "row" }, isolated(key)), ...row);
}

function change(from, to) {
  if (!from) return "";
  const percent = Math.abs((100 * (to - from)) / from);
  const digits = percent < 1 ? Number(percent.toPrecision(2)) : tenths.format(percent);
  return `${to > from ? "+" : "−"}${digits} %`;
}
