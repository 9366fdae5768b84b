// The data of the page: {figures: [name], axes: [[name, better]], specs: [{name, family, title,
// figures, spreads, packed}]}, where a spread is null or [from, to]. To each spec is added what
// the page makes of it: its index, row, checkbox and article.
const data = JSON.parse(document.getElementById("data").textContent);
data.specs.forEach((spec, index) => Object.assign(spec, { index }));

const picked = new Set(); // specs, in the order in which they were picked

function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes; text among its children stays text. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Text whose direction leaves what is around it alone. */
function isolated(text) {
  const words = text.split(/(?<=[_/])/).flatMap((word) => [element("wbr"), word]);
  return element("bdi", {}, ...words.slice(1));
}

/** The text that was packed by gzip in base64. */
async function unpacked(base64) {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const gunzip = new DecompressionStream("gzip");
  return new Response(new Blob([bytes]).stream().pipeThrough(gunzip)).text();
}

/** What the table does not show of a spec: {paper, digests, tables, file, source, diagram}. */
function rest(spec) {
  spec.rest ??= unpacked(spec.packed).then(JSON.parse);
  return spec.rest;
}

const exact = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });
const UNITS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
];

/** A number in the unit that suits it, as ["4.09", "G"]. */
function counted(number) {
  const [factor, unit] = UNITS.find(([least]) => number >= least) ?? [1, ""];
  return unit ? [(number / factor).toFixed(2), unit] : [exact.format(number), ""];
}
