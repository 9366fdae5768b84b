// The editor: CodeMirror, and in it what the compiler knows of the text.

import {
  autocompletion,
  bracketMatching,
  classHighlighter,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  defaultKeymap,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSelectionMatches,
  highlightSpecialChars,
  history,
  historyKeymap,
  hoverTooltip,
  indentUnit,
  indentWithTab,
  invertedEffects,
  isolateHistory,
  keymap,
  lineNumbers,
  lintKeymap,
  pickedCompletion,
  Prec,
  searchKeymap,
  selectedCompletion,
  setDiagnostics,
  startCompletion,
  StateEffect,
  StateField,
  syntaxHighlighting,
  Transaction,
  yaml,
} from "./codemirror.js";
import { element } from "./dom.js";
import { offsetOf, placeOf } from "./positions.js";
import { prose } from "./prose.js";

const LOOK = [
  lineNumbers(),
  highlightSpecialChars(),
  highlightActiveLine(),
  highlightSelectionMatches({ minSelectionLength: 2 }), // a bracket alone matches too much
  drawSelection(),
  syntaxHighlighting(classHighlighter),
  EditorView.lineWrapping,
  EditorView.contentAttributes.of({
    "aria-labelledby": "spec",
    "aria-describedby": "keys",
    spellcheck: "false",
    autocapitalize: "off",
  }),
];

/** Let Tab leave the editor after Escape, but where that takes away what is offered. */
function leaving({ key }, view) {
  if (key === "Escape" && completionStatus(view.state) !== "active") view.setTabFocusMode(2000);
}

/** Close what is offered where that is written already, so that Enter starts a new line. */
function closeWritten(view) {
  const { state } = view;
  const written = selectedCompletion(state)?.written;
  const isThere = written && state.sliceDoc(0, state.selection.main.head).endsWith(written);
  if (isThere) closeCompletion(view);
  return false;
}

const opened = StateEffect.define(); // the name of the spec that a text was made from
const start = StateField.define({
  create: () => undefined,
  update: (name, { effects }) => effects.find((effect) => effect.is(opened))?.value ?? name,
});

/** Of a text that was put in place of another, that of which the other was made. */
function before({ effects, startState }) {
  const isOpened = effects.some((effect) => effect.is(opened));
  return isOpened ? [opened.of(startState.field(start))] : [];
}

const BEHAVIOR = [
  start,
  invertedEffects.of(before),
  EditorView.domEventObservers({ keydown: leaving }),
  Prec.highest(keymap.of([{ key: "Enter", run: closeWritten }])),
  history(),
  yaml(),
  indentUnit.of("  "),
  bracketMatching(),
  closeBrackets(),
  keymap.of([
    ...closeBracketsKeymap,
    ...completionKeymap,
    ...searchKeymap,
    ...historyKeymap,
    ...lintKeymap,
    ...defaultKeymap,
    indentWithTab,
  ]),
];

/**
 * An editor in an element. It calls `changed()` after each change and `moved()` where the cursor
 * went; `completions(place)` and `description(place)` promise what the compiler knows there.
 */
export function makeEditor(parent, { changed, moved, completions, description }) {
  const knowing = [
    EditorView.updateListener.of((update) => {
      if (update.docChanged) changed();
      else if (update.selectionSet) moved();
    }),
    autocompletion({
      override: [(context) => completed(context, completions)],
      compareCompletions: () => 0, // those that fit alike come as the compiler orders them
    }),
    hoverTooltip(
      async (view, offset) => {
        const found = await description(placeOf(textOf(view), offset));
        if (!found) return null;
        const dom = element("div", { class: "description" }, ...prose(found));
        return { pos: offset, above: true, create: () => ({ dom }) };
      },
      { hideOnChange: true },
    ),
  ];
  const extensions = [...LOOK, ...BEHAVIOR, ...knowing];
  const view = new EditorView({ parent, extensions });
  return {
    text: () => textOf(view),
    place: () => placeOf(textOf(view), view.state.selection.main.head),
    /** The name of the spec that the text was made from; undefined before the first `open`. */
    start: () => view.state.field(start),
    /** Put another text, made from the spec of that name, which can be undone but for the first. */
    open(text, name) {
      const isFirst = view.state.field(start) === undefined;
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: { anchor: 0 },
        effects: opened.of(name),
        annotations: isFirst ? Transaction.addToHistory.of(false) : isolateHistory.of("full"),
        scrollIntoView: true,
      });
    },
    /** Replace what differs by another text, which can be undone. */
    replace: (text) => view.dispatch({ changes: difference(textOf(view), text) }),
    apply: (edits) => apply(view, edits),
    /** Go to a place, and select so many characters there. */
    select(place) {
      const [anchor, head] = rangeOf(textOf(view), place);
      view.dispatch({ selection: { anchor, head }, scrollIntoView: true });
      view.focus();
    },
    /** Underline the problems. */
    underline(problems) {
      const found = problems.map((problem) => diagnostic(textOf(view), problem));
      view.dispatch(setDiagnostics(view.state, found));
    },
  };
}

function textOf(view) {
  return view.state.doc.toString();
}

/** The offsets of `length` characters at a place. */
function rangeOf(text, { line, column, length }) {
  const start = offsetOf(text, line, column);
  return [start, Math.max(start, offsetOf(text, line, column + length))];
}

function diagnostic(text, problem) {
  const [from, to] = rangeOf(text, problem);
  const actions = (problem.fixes ?? []).map(({ title, edits }) => ({
    name: title,
    apply: (view) => apply(view, edits),
  }));
  const { severity, rule: source, message } = problem;
  return { from, to, severity, source, message, actions };
}

function apply(view, edits) {
  const text = textOf(view);
  const changes = edits.map((edit) => {
    const from = offsetOf(text, edit.line, edit.column);
    return { from, to: offsetOf(text, edit.end_line, edit.end_column), insert: edit.text };
  });
  view.dispatch({ changes });
  view.focus();
}

/** The one change that makes a text another. */
function difference(text, other) {
  const shorter = Math.min(text.length, other.length);
  let from = 0;
  while (from < shorter && text[from] === other[from]) from++;
  let same = 0;
  while (same < shorter - from && text.at(-1 - same) === other.at(-1 - same)) same++;
  return { from, to: text.length - same, insert: other.slice(from, other.length - same) };
}

/** Write a key, and offer what may stand behind it. */
function applyKey(text) {
  return (view, completion, from, to) => {
    const cursor = { anchor: from + text.length };
    const annotations = pickedCompletion.of(completion);
    view.dispatch({ changes: { from, to, insert: text }, selection: cursor, annotations });
    startCompletion(view);
  };
}

async function completed(context, completions) {
  const text = context.state.doc.toString();
  if (!context.explicit && !/[\w.]$/.test(text.slice(0, context.pos))) return null;
  const found = await completions(placeOf(text, context.pos));
  if (!found?.length) return null;
  const [{ edit }] = found; // the word that is begun, for all of them
  const options = found.map(({ label, kind, about, edit }) => ({
    label,
    type: kind === "key" ? "property" : "constant",
    written: edit.text,
    info: about ? () => element("div", { class: "description" }, ...prose(about)) : undefined,
    apply: kind === "key" ? applyKey(edit.text) : edit.text,
  }));
  const from = offsetOf(text, edit.line, edit.column);
  const to = offsetOf(text, edit.end_line, edit.end_column);
  const isWhole = options.some(({ label }) => label === text.slice(from, to));
  const chosen = context.explicit && isWhole ? { filter: false } : { validFor: /^[\w./-]*$/ };
  return { from, to, options, ...chosen };
}
