// Markdown as the compiler writes it in descriptions: paragraphs, lists, `code` and **strong**.

import { element } from "./dom.js";

/** The elements of a text. */
export function prose(text) {
  return text.split(/\n\n+/).map((paragraph) => {
    const lines = paragraph.split("\n");
    if (!lines.every((line) => line.startsWith("- "))) return element("p", {}, ...inline(paragraph));
    return element("ul", {}, ...lines.map((line) => element("li", {}, ...inline(line.slice(2)))));
  });
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((piece) => {
    if (/^`.+`$/s.test(piece)) return element("code", {}, piece.slice(1, -1));
    return piece.startsWith("**") ? element("strong", {}, piece.slice(2, -2)) : piece;
  });
}
