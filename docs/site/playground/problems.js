// The list of problems below the editor.

import { button, element } from "./dom.js";

/** The items of a list: where each is, what it says, and a button for each way to mend it. */
export function listed(problems, { select, apply }) {
  return problems.map((problem) => {
    const { severity, line, column, message, rule, about, note, fixes = [] } = problem;
    const where = button(`Line ${line}, column ${column}`, () => select(problem));
    const kind = severity === "warning" ? [element("strong", {}, "Warning: ")] : [];
    const name = element("span", { class: "quiet", title: about }, ` [${rule}]`);
    const said = element("p", {}, ...kind, message, name);
    const more = note ? [element("p", { class: "quiet" }, note)] : [];
    const mends = fixes.map(({ title, edits }) => button(title, () => apply(edits)));
    const actions = element("p", { class: "actions" }, where, ...mends);
    return element("li", { class: severity }, said, ...more, actions);
  });
}
