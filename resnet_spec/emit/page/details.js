// What is known of each picked spec.

function makeDetails(spec) {
  const heading = element("h3", { id: `spec-${spec.index}` }, element("bdi", {}, spec.title));
  const drop = element("button", { type: "button" }, "Drop");
  drop.ariaLabel = `Drop ${spec.name}`;
  drop.addEventListener("click", () => {
    pick(spec, false);
    byId("picked").focus();
  });
  const top = element("div", { class: "title" }, heading, drop);
  spec.article = element("article", { "aria-labelledby": heading.id }, top);
  rest(spec).then((more) => spec.article.append(...parts(spec, more)));
  return spec.article;
}

function parts(spec, more) {
  const told = element("p", { class: "quiet" }, element("bdi", {}, spec.name));
  const paper = link(more.paper);
  if (paper) told.append(" · ", paper);
  const found = [told];
  if (more.diagram) found.push(diagram(spec, more.diagram));
  found.push(...more.tables.map((table) => tableOf(spec, table)), source(spec, more));
  return found;
}

/** A part that opens and closes, under a heading. */
function part(title, open, ...children) {
  const summary = element("summary", {}, element("h4", {}, title));
  return element("details", open ? { open: "" } : {}, summary, ...children);
}

/** What scrolls by itself, and can be reached by the keyboard to do so. */
function scrolling(spec, title, child) {
  const label = `${title} of ${spec.name}`;
  return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, child);
}

function link(paper) {
  if (!paper) return null;
  const [title, address] = paper;
  if (!/^https?:\/\//i.test(address)) return element("bdi", {}, title);
  return element("a", { href: address, rel: "noreferrer" }, element("bdi", {}, title));
}

function diagram(spec, svg) {
  const image = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const save = download("Download SVG", `${spec.name.replaceAll("/", "-")}.svg`, svg);
  return part("Diagram", true, scrolling(spec, "Diagram", image), element("p", { class: "actions" }, save));
}

function tableOf(spec, { name, columns, rows }) {
  const numeric = columns.map((_, i) => rows.some((row) => isFigure(row[i])));
  const kind = (i) => (numeric[i] ? { class: "number" } : {});
  const head = columns.map((column, i) => element("th", { scope: "col", ...kind(i) }, column));
  const body = rows.map(([first, ...cells]) => {
    const others = cells.map((cell, i) => element("td", kind(i + 1), ...written(cell)));
    return element("tr", {}, element("th", { scope: "row" }, ...written(first)), ...others);
  });
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  return part(name, numeric.some(Boolean), scrolling(spec, name, table)); // texts wait
}

/** Whether a cell goes to the right of its column: a number, or a shape as 64 x 56 x 56. */
function isFigure(cell) {
  return typeof cell === "number" || /^\d+( x \d+)+$/.test(cell);
}

/** A cell as nodes. */
function written(cell) {
  if (typeof cell === "number") return [exact.format(cell)];
  return [element("bdi", {}, isFigure(cell) ? cell.replaceAll(" x ", "×") : cell)];
}

function source(spec, { file, source }) {
  const code = element("pre", {}, element("code", {}, source));
  const copy = element("button", { type: "button" }, "Copy");
  const said = element("span", { role: "status", class: "quiet" });
  copy.addEventListener("click", async () => {
    said.textContent = (await copied(source)) ? "Copied" : "The browser refused; select and copy the text";
  });
  const actions = element("p", { class: "actions" }, copy, download("Download", file, source), said);
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
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    element("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });
  return button;
}
