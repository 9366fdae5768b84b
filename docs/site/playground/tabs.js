// Tabs of which one is chosen: by the mouse, or by arrow keys as the pattern of WAI-ARIA has it.

import { byId, element } from "./dom.js";

/** Make a tab of each {name: {title}}; `chosen(name)` is called where another is chosen. */
export function makeTabs(views, chosen) {
  const names = Object.keys(views);
  const tabs = names.map((name) => {
    const attributes = { id: `tab-${name}`, role: "tab", type: "button", "aria-controls": "view" };
    const tab = element("button", attributes, views[name].title);
    tab.addEventListener("click", () => choose(name));
    return tab;
  });
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  byId("tabs").append(...tabs);
  byId("tabs").addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const last = names.length - 1;
    const at = names.indexOf(current()) + step;
    const next = Number.isFinite(step) ? (at + names.length) % names.length : step < 0 ? 0 : last;
    choose(names[next]);
    tabs[next].focus();
  });

  function current() {
    return names.find((_, i) => tabs[i].ariaSelected === "true");
  }

  function show(name) {
    tabs.forEach((tab, i) => {
      tab.ariaSelected = String(names[i] === name);
      tab.tabIndex = names[i] === name ? 0 : -1;
    });
    byId("view").setAttribute("aria-labelledby", `tab-${name}`);
  }

  function choose(name) {
    if (name === current()) return;
    show(name);
    chosen(name);
  }

  show(names[0]);
  return { current };
}
