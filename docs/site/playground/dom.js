// Elements, and numbers as people read them.

export function byId(id) {
  return document.getElementById(id);
}

/** An element with attributes; text among its children stays text. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function button(label, act) {
  const made = element("button", { type: "button" }, label);
  made.addEventListener("click", act);
  return made;
}

/** What scrolls by itself, and can be reached by the keyboard to do so. */
export function scrolling(label, child) {
  const named = { role: "region", tabindex: "0", "aria-label": label };
  return element("div", { class: "scroll", ...named }, child);
}

/** Save the text as a file. */
export function save(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

/** Copy the text; what to say of it. */
export async function copied(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    return `${what} is copied.`;
  } catch {
    return "The browser did not allow it; select the text and copy it.";
  }
}

export const exact = new Intl.NumberFormat("en-US");
const UNITS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
];

/** A number in the unit that suits it, as "4.09 G". */
export function counted(number) {
  const [factor, unit] = UNITS.find(([least]) => number >= least) ?? [1, ""];
  return unit ? `${(number / factor).toFixed(2)} ${unit}` : `${exact.format(number)} `;
}
