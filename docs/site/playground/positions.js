// Lines and columns, counted from 1 in code points as the compiler does, and offsets as the
// editor does, in units of UTF-16.

const BREAK = /\r\n|[\n\r\x85\u2028\u2029]/g; // where the compiler counts a new line

/** The offset of a place in a text; of one that the text does not have, the nearest. */
export function offsetOf(text, line, column) {
  const starts = [0, ...Array.from(text.matchAll(BREAK), (found) => found.index + found[0].length)];
  const start = starts[Math.min(Math.max(line, 1), starts.length) - 1];
  return start + units(text.slice(start), Math.max(column, 1) - 1);
}

/** How many units of UTF-16 the first so many code points of a text have. */
function units(text, points) {
  let found = 0;
  for (const character of text) {
    if (points-- <= 0) break;
    found += character.length;
  }
  return found;
}

/** The place of an offset in a text, as {line, column}. */
export function placeOf(text, offset) {
  const before = text.slice(0, offset);
  const breaks = [...before.matchAll(BREAK)];
  const start = breaks.length ? breaks.at(-1).index + breaks.at(-1)[0].length : 0;
  return { line: breaks.length + 1, column: [...before.slice(start)].length + 1 };
}
