// The page: what is written, what is asked of it, and what is shown of the answers.

import * as address from "./address.js";
import { makeCompiler } from "./compiler.js";
import { byId, copied, counted, element, exact, save } from "./dom.js";
import { makeEditor } from "./editor.js";
import { listed } from "./problems.js";
import { prose } from "./prose.js";
import { makeTabs } from "./tabs.js";
import { VIEWS } from "./views.js";

const SAID = {
  starting: "The compiler is loading …",
  ready: "",
  restarted: "The compiler took over five seconds, and starts anew …",
  missing: "The compiler cannot be loaded; reload the page to try again.",
  failed: "The compiler failed on this text, which is a mistake of its own:",
  offline: "Works offline.",
};

const first = JSON.parse(byId("first").textContent); // {start, text, catalog, answer}
const compiler = makeCompiler(tell);
const editor = makeEditor(byId("editor"), {
  changed,
  moved: () => soon(describe, 150),
  completions: (place) => compiler.ask("completed", { text: editor.text(), ...place }),
  description: (place) => compiler.ask("hovered", { text: editor.text(), ...place }),
});
const tabs = makeTabs(VIEWS, compile);

const originals = new Map([[first.start, first.text]]); // of specs that ship, as far as known
let start; // the name of the spec that the text was made from
let base; // the name of the spec that it is compared with
let opening; // the name of the spec that is to be opened
let file = "spec.yaml"; // what the text is saved as
let shown = {}; // what was asked of the network that is shown
let isKept = false; // for when there is no network

// --- what becomes of the compiler ----------------------------------------------------------

function tell(becomes, why = "") {
  const [last] = why.trim().split("\n").slice(-1); // of a traceback
  byId("compiler").textContent = `${SAID[becomes]} ${last}`.trim();
}

function say(text) {
  byId("message").textContent = text;
}

// --- a text, and what it is ------------------------------------------------------------------

function changed() {
  say("");
  if (start !== editor.start()) {
    start = editor.start();
    base = start;
    for (const id of ["name", "base"]) byId(id).value = start;
  }
  soon(remember, 300);
  soon(describe, 150);
  compile();
}

/** What is asked of the compiler now. */
function question() {
  return { text: editor.text(), start, view: tabs.current(), base };
}

/** Whether two of those have the same answer. */
function same(one, other) {
  return ["text", "view", "base"].every((key) => one[key] === other[key]);
}

/** Ask what the text is, and show it, unless it is another text by then. */
async function compile() {
  const asked = question();
  byId("compare").hidden = asked.view !== "changes";
  mark("typing");
  const answer = await compiler.ask("compiled", asked);
  if (answer === undefined || !same(asked, question())) return;
  if (!answer) return mark("unknown");
  show(answer, asked);
  soon(offerFixes, 150, asked.text, answer.problems);
  const before = { ...asked, text: shown.text };
  if (!answer.network && shown.view && !same(shown, before)) {
    const old = await compiler.ask("compiled", before);
    if (old?.network && same(asked, question())) showNetwork(old, before);
  }
  performance.mark("answered");
  keepOffline();
}

function show(answer, asked) {
  const { problems, network } = answer;
  tellProblems(problems);
  byId("problems").hidden = !problems.length;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const said = [plural(errors, "mistake"), plural(problems.length - errors, "warning")];
  byId("problem-count").textContent = said.filter(Boolean).join(", ");
  mark(network ? "" : "wrong");
  if (network) showNetwork(answer, asked);
}

function showNetwork({ network, view: data }, asked) {
  shown = asked;
  ({ file } = network);
  byId("results").textContent = network.title;
  const figures = `${exact.format(network.params)} parameters, ${counted(network.macs)}MACs`;
  byId("figures").textContent = figures;
  byId("view").replaceChildren(...VIEWS[asked.view].make(data, network, say));
  allowTaking();
}

function tellProblems(problems) {
  editor.underline(problems);
  byId("problem-list").replaceChildren(...listed(problems, editor));
}

/** Ask how each problem can be mended, as long as the text is the same. */
async function offerFixes(text, problems) {
  for (const [index, problem] of problems.entries()) {
    if (text !== editor.text()) return;
    const fixes = await compiler.ask("fixed", { text, index });
    if (!fixes || text !== editor.text()) return;
    problem.fixes = fixes;
  }
  if (problems.some(({ fixes }) => fixes.length)) tellProblems(problems);
}

function plural(count, noun) {
  return count ? `${count} ${noun}${count > 1 ? "s" : ""}` : "";
}

const OLD = {
  wrong: "The spec has a mistake; this is the network before it",
  unknown: "Of an earlier text; the compiler gave no answer on this one",
};

/** Mark the results as old, since one is typing, or the text is wrong, or as not old. */
function mark(old) {
  byId("network").dataset.old = old;
  byId("view").ariaBusy = String(old === "typing");
  byId("old").textContent = (shown.text !== undefined && OLD[old]) || "";
  allowTaking();
}

/** Let a source or a picture be copied and saved, but of an earlier text. */
function allowTaking() {
  const isOld = byId("network").dataset.old in OLD;
  for (const each of byId("view").querySelectorAll("button")) each.disabled = isOld;
}

/** Say what is known of the field at the cursor. */
async function describe() {
  const found = await compiler.ask("hovered", { text: editor.text(), ...editor.place() });
  if (found === undefined) return; // of another place by now
  byId("description").hidden = !found;
  byId("description").replaceChildren(...prose(found ?? ""));
}

const timers = new Map();

/** Call the function when it was not asked for during so many milliseconds. */
function soon(act, wait, ...given) {
  clearTimeout(timers.get(act));
  timers.set(act, setTimeout(act, wait, ...given));
}

// --- where one starts, and the address --------------------------------------------------------

/** Open a text that was made from a spec that ships, or that spec itself. */
async function open(name, text) {
  opening = name;
  const given = text ?? originals.get(name);
  if (given !== undefined) put(given, name);
  if (originals.has(name)) return;
  const original = await compiler.ask("started", { name });
  if (!original) return;
  originals.set(name, original);
  if (given === undefined && opening === name) put(original, name);
}

function put(text, name) {
  editor.open(text, name);
  const isFirst = text === first.text && name === first.start;
  if (isFirst && tabs.current() === "summary") show(first.answer, question());
}

/** Open what the address says; where it says nothing, what was here last. */
async function openAddress() {
  try {
    const said = await address.read(location.hash);
    const last = location.hash.length > 1 ? said : draft();
    const name = last.start ?? first.start;
    if (!first.catalog.some((spec) => spec.name === name)) {
      throw new Error(`no spec that ships is called ${name}`);
    }
    await open(name, last.text);
  } catch (error) {
    open(draft().start ?? first.start, draft().text);
    say(`This address cannot be read: ${error.message}. Below is what was here before.`);
  }
}

/** Write the text into the address, and where the browser allows it, into its storage. */
async function remember() {
  const text = editor.text();
  const fragment = await address.written(start, text, text === originals.get(start));
  if (text !== editor.text()) return;
  keepDraft({ start, text });
  history.replaceState(null, "", fragment ?? location.pathname);
  if (!fragment) say(address.TOO_LONG);
}

const DRAFT = "resnet-spec-playground";

function draft() {
  try {
    return JSON.parse(localStorage.getItem(DRAFT)) ?? {};
  } catch {
    return {};
  }
}

function keepDraft(said) {
  try {
    localStorage.setItem(DRAFT, JSON.stringify(said));
  } catch {
    return; // the address has it, too
  }
}

/** Let the browser keep the page; not sooner than needed, since that fetches all of it. */
async function keepOffline() {
  if (!navigator.serviceWorker || isKept) return;
  isKept = true;
  try {
    await navigator.serviceWorker.register("service.js");
    await navigator.serviceWorker.ready;
  } catch {
    return; // a private window; it works with a network
  }
  tell("offline");
}

// --- buttons -----------------------------------------------------------------------------------

/** The one network of that name or title, but for case and what is no letter or number. */
function titled(said) {
  const bare = (text) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const called = ({ name, title }) => [bare(name), bare(title)].includes(bare(said));
  const found = first.catalog.filter(called);
  return found.length === 1 ? found[0] : undefined;
}

/** Say that no spec that ships has that name, and which may be meant. */
async function refuse(name) {
  const near = await compiler.ask("suggested", { name });
  say(`No spec is called ${name}${near ? `; did you mean ${near}?` : "."}`);
}

/** Call `act` with the name of a spec that ships, where a form's field is given one or a title. */
function takesName(form, field, act) {
  byId(field).addEventListener("focus", ({ target }) => target.select());
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    const said = byId(field).value.trim();
    const found = first.catalog.find((spec) => spec.name === said) ?? titled(said);
    if (found) act(found.name);
    else refuse(said);
  });
}

takesName("start", "name", async (name) => {
  await remember();
  history.pushState(null, "", await address.written(name, "", true));
  await open(name);
});

takesName("compare", "base", (name) => {
  say("");
  base = name;
  byId("base").value = name;
  compile();
});

byId("link").addEventListener("click", async () => {
  const text = editor.text();
  const fragment = await address.written(start, text, text === originals.get(start));
  if (!fragment) return say(address.TOO_LONG);
  say(await copied(new URL(fragment, location.href).href, "The link"));
});

byId("save").addEventListener("click", () => save(file, editor.text(), "application/yaml"));

byId("format").addEventListener("click", () => rewrite("ordered"));
byId("whole").addEventListener("click", () => rewrite("whole"));

/** Put what the compiler makes of the text in its place; where that is no other, say why. */
async function rewrite(asked) {
  const text = editor.text();
  const found = await compiler.ask(asked, { text });
  if (!found || text !== editor.text()) return;
  if (found.said) say(found.said);
  else editor.replace(found.text);
}

byId("theme").addEventListener("change", ({ target }) => {
  document.documentElement.dataset.theme = target.value;
});

// --- start ---------------------------------------------------------------------------------------

const options = first.catalog.map(({ name, title }) => element("option", { value: name }, title));
byId("names").append(...options);
byId("count").textContent = `${first.catalog.length} networks to choose from`;
addEventListener("hashchange", openAddress);
await openAddress();
