// The picked specs side by side: what they are to the first of them, and each cell that differs.

const OTHERWISE = {
  training: "how they train",
  init: "how their weights start",
  image: "the image that they are stated for",
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
  const fits = alike("layout")
    ? "every weight of one loads into the other"
    : "the weights of one do not fit the other";
  let said = `${fits}.`;
  if (alike("function") && alike("layout")) said = `same function; ${fits}.`;
  else if (alike("function")) said = "same function; the tensors have other names.";
  else if (alike("layout")) said = `${fits}, and the output differs.`;
  const differ = Object.keys(OTHERWISE).filter((respect) => !alike(respect));
  if (differ.length) said += ` They differ in ${differ.map((respect) => OTHERWISE[respect]).join(", ")}.`;
  const name = ({ name }) => element("bdi", {}, element("strong", {}, name));
  return element("p", {}, name(first), " and ", name(other), `: ${said}`);
}

/** The rows of the cells in which the specs differ, below the name of their table. */
function differences(specs, found) {
  const figures = specs.map((spec) => new Map(data.figures.map((name, i) => [name, spec.figures[i] ?? undefined])));
  const groups = [["figures", figures]];
  const titles = new Set(found.flatMap(({ tables }) => tables.map(({ name }) => name)));
  for (const title of titles) {
    groups.push([title, found.map(({ tables }) => cells(tables.find(({ name }) => name === title)))]);
  }
  return groups.flatMap(([title, each]) => {
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
