// What is known of each picked spec.

const SHORT = 12; // rows of a table that is open from the start

function makeDetails(spec) {
  const heading = element("h3", { id: `spec-${spec.index}` }, isolated(spec.title));
  const drop = button("Drop", () => {
    pick(spec, false);
    byId("picked").focus();
  });
  drop.ariaLabel = `Drop ${spec.name}`;
  const top = element("div", { class: "title" }, heading, drop);
  spec.article = element("article", { "aria-labelledby": heading.id }, top);
  rest(spec).then((more) => spec.article.append(...parts(spec, more)));
  return spec.article;
}

function parts(spec, more) {
  const told = element("p", { class: "quiet" }, isolated(spec.name));
  if (more.paper) told.append(" · ", link(...more.paper));
  return [
    told,
    ...(more.diagram ? [diagram(spec, more.diagram)] : []),
    ...more.tables.map((table) => tableOf(spec, table)),
    source(spec, more),
  ];
}

function button(label, act) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", act);
  return made;
}

/** A part that opens and closes, under a heading. */
function part(title, open, ...children) {
  const summary = element("summary", {}, element("h4", {}, title));
  return element("details", open ? { open: "" } : {}, summary, ...children);
}

/** What scrolls by itself, and can be reached by the keyboard to do so. */
function scrolling(spec, title, child) {
  const label = `${title} of ${spec.name}`;
  const named = { role: "region", tabindex: "0", "aria-label": label };
  return element("div", { class: "scroll", ...named }, child);
}

function link(title, address) {
  if (!/^https?:\/\//i.test(address)) return isolated(title);
  return element("a", { href: address, rel: "noreferrer" }, isolated(title));
}

function diagram(spec, svg) {
  const image = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const save = download("Download SVG", `${spec.name.replaceAll("/", "-")}.svg`, svg);
  const actions = element("p", { class: "actions" }, save);
  return part("Diagram", true, scrolling(spec, "Diagram", image), actions);
}

function tableOf(spec, { name, columns, rows }) {
  const numeric = columns.map((_, i) => rows.some((row) => isFigure(row[i])));
  const kind = (i) => (numeric[i] ? { class: "number" } : {});
  const heads = columns.map((column, i) =>
    element("th", { scope: "col", ...kind(i) }, column),
  );
  const body = rows.map(([first, ...cells]) => {
    const others = cells.map((cell, i) => element("td", kind(i + 1), ...written(cell)));
    return element("tr", {}, element("th", { scope: "row" }, ...written(first)), ...others);
  });
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
  return part(name, rows.length <= SHORT, scrolling(spec, name, table));
}

/** Whether a cell goes to the right of its column: a number, or a shape as 64 x 56 x 56. */
function isFigure(cell) {
  return typeof cell === "number" || /^\d+( x \d+)+$/.test(cell);
}

/** A cell as nodes. */
function written(cell) {
  if (typeof cell === "number") return [exact.format(cell)];
  return [isolated(isFigure(cell) ? cell.replaceAll(" x ", "×") : cell)];
}

function source(spec, { file, source }) {
  const said = element("span", { role: "status", class: "quiet" });
  const copy = button("Copy", async () => {
    const refused = "The browser refused; select the text and copy it";
    said.textContent = (await copied(source)) ? "Copied" : refused;
  });
  const save = download("Download", file, source);
  const actions = element("p", { class: "actions" }, copy, save, said);
  const code = element("pre", {}, element("code", {}, source));
  return part(`Source, ${file}`, false, actions, scrolling(spec, "Source", code));
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A button that saves the text as a file. */
function download(label, name, text) {
  return button(label, () => {
    const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    element("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
}
