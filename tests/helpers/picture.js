// Asked of the browser that drew them: what is wrong with the pictures in the page, in words.

const rgb = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
const luminance = (color) => {
  const [r, g, b] = rgb(color).map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const meets = (a, b) =>
  a.left + 0.5 < b.right && b.left + 0.5 < a.right &&
  a.top + 0.5 < b.bottom && b.top + 0.5 < a.bottom;
const holds = (outer, inner) =>
  outer.left <= inner.left + 0.1 && inner.right <= outer.right + 0.1 &&
  outer.top <= inner.top + 0.1 && inner.bottom <= outer.bottom + 0.1;

// The straight pieces of a path of M, L and Q, as boxes of one pixel's width.
const pieces = (path) => {
  const matrix = path.getScreenCTM();
  const points = [...path.getAttribute("d").matchAll(/([MLQ])([^MLQZ]*)/g)].map(
    ([, kind, numbers]) => {
      const end = numbers.trim().split(/\s+/).map(Number).slice(-2);
      const { x, y } = new DOMPoint(...end).matrixTransform(matrix);
      return { kind, x, y };
    },
  );
  return points.slice(1).flatMap((to, i) => to.kind !== "L" ? [] : [{
    left: Math.min(points[i].x, to.x) - 0.5, right: Math.max(points[i].x, to.x) + 0.5,
    top: Math.min(points[i].y, to.y) - 0.5, bottom: Math.max(points[i].y, to.y) + 0.5,
  }]);
};

const placed = (svg, kind) =>
  [...svg.querySelectorAll(kind)].map((element) => ({ element, box: element.getBoundingClientRect() }));

const pairs = new Map(); // of a text's class and that of what it stands on, one of each

// Texts that overlap, leave their boxes or are crossed by lines, and all that is cut off.
const misplaced = (svg) => {
  const wrong = [];
  const page = svg.getBoundingClientRect();
  const [texts, boxes, others] = ["text", "rect", "path, circle"].map((kind) => placed(svg, kind));
  const lines = [...svg.querySelectorAll("path.rs-line")].flatMap(pieces);
  for (const { element, box } of [...texts, ...boxes, ...others])
    if (!holds(page, box)) wrong.push(`outside: ${element.outerHTML}`);
  texts.forEach(({ element, box }, i) => {
    const words = element.textContent;
    if (!box.width) wrong.push(`empty: ${element.outerHTML}`);
    for (const other of texts.slice(i + 1))
      if (meets(box, other.box)) wrong.push(`${words} overlaps ${other.element.textContent}`);
    const around = boxes.filter((each) => meets(box, each.box));
    for (const each of around) if (!holds(each.box, box)) wrong.push(`${words} leaves its box`);
    for (const line of lines) if (meets(box, line)) wrong.push(`a line crosses ${words}`);
    const on = around.at(-1).element;
    const key = [element, on].map((each) => each.getAttribute("class") + each.getAttribute("fill"));
    pairs.set(key.join(), [element, on]);
  });
  return wrong;
};

// Of texts and what they stand on, those that are hard to tell apart.
const pale = () => [...pairs.values()].flatMap(([text, on]) => {
  const [ink, paper] = [text, on].map((each) => getComputedStyle(each).fill);
  const seen = contrast(ink, paper);
  return seen < 4.5 ? [`${text.textContent} is pale: ${ink} on ${paper}, ${seen.toFixed(2)}`] : [];
});
