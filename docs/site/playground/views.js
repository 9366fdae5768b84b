// What is shown of a network: a function for each view, from its data to elements.

import { classHighlighter, highlightCode, pythonLanguage } from "./codemirror.js";
import { button, copied, counted, element, exact, save, scrolling } from "./dom.js";

/** The views by name: their titles, and what makes their elements. */
export const VIEWS = {
  summary: { title: "Summary", make: summary },
  diagram: { title: "Diagram", make: diagram },
  source: { title: "Source", make: source },
  costs: { title: "Costs", make: costs },
  changes: { title: "Changes", make: changes },
};

function summary({ parts, params, macs, activations, input }) {
  const rows = parts.map((part) => [
    part.part,
    part.blocks,
    part.stride ? part.output.join("×") : part.output[0], // of a head, channels
    [part.stride].flat().join("×"),
    exact.format(part.params),
    counted(part.macs),
    counted(part.activations),
  ]);
  const total = ["total", "", "", "", exact.format(params), counted(macs), counted(activations)];
  const columns = ["part", "blocks", "output", "stride", "parameters", "MACs", "activations"];
  const said = `For one image of ${input.join("×")}; activations are the numbers that
    convolutions and linear layers give.`;
  return [table("Summary", columns, [...rows, total], 2), note(said)];
}

function diagram({ svg }, { file }) {
  const image = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  image.style.maxWidth = `${image.getAttribute("width")}px`; // may shrink a little, never grows
  const name = file.replace(/\.ya?ml$/, ".svg");
  const download = button("Download SVG", () => save(name, svg, "image/svg+xml"));
  return [scrolling("Diagram", image), element("p", { class: "actions" }, download)];
}

function source({ file, text }, _, say) {
  const copy = button("Copy", async () => say(await copied(text, "The source")));
  const download = button("Download", () => save(file, text, "text/x-python"));
  const actions = element("p", { class: "actions" }, copy, download, note(file));
  const code = element("pre", {}, element("code", {}, ...colored(text)));
  return [actions, scrolling("Source", code)];
}

/** The pieces of a Python source, those that have a color in an element with its class. */
function colored(text) {
  const found = [];
  highlightCode(
    text,
    pythonLanguage.parser.parse(text),
    classHighlighter,
    (piece, classes) => found.push(classes ? element("span", { class: classes }, piece) : piece),
    () => found.push("\n"),
  );
  return found;
}

function costs({ rows, note: said, tools }) {
  const figures = rows.map(([name, figure, what]) => [name.trim(), figure, what]);
  const counts = tools.map(([name, figure, how]) => [name, exact.format(figure), how]);
  return [
    table("Costs of one image", ["cost", "figure", "what it is"], figures, 1),
    note(said),
    element("h3", {}, "What each tool counts"),
    table("What each tool counts", ["tool", "figure", "how it is asked"], counts, 1),
  ];
}

function changes({ sentence, sections }) {
  const tables = Object.entries(sections).flatMap(([title, rows]) => [
    element("h3", {}, title),
    table(title, ["what", "from and to"], rows.map(([label, said]) => [label, arrows(said)]), 2),
  ]);
  return [element("p", {}, sentence), ...tables];
}

function arrows(text) {
  return text.replaceAll(" -> ", " → ");
}

/** A table whose first column says what each row is of; the first so many stand to the left. */
function table(name, columns, rows, left) {
  const isNumber = (i) => i >= left && rows.every((row) => !/[a-z]{3}/.test(row[i]));
  const kind = columns.map((_, i) => (isNumber(i) ? { class: "number" } : {}));
  const heads = columns.map((column, i) => element("th", { scope: "col", ...kind[i] }, column));
  const body = rows.map(([first, ...cells]) => {
    const others = cells.map((cell, i) => element("td", kind[i + 1], cell));
    return element("tr", {}, element("th", { scope: "row" }, first), ...others);
  });
  const made = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
  return scrolling(name, made);
}

function note(text) {
  return element("span", { class: "quiet" }, text);
}
