// Makes elements. Text goes in as text only; nothing here reads markup.

import { parts } from "./links.js";
import { safeLine, safeLines } from "./text.js";

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/**
 * An element with properties, attributes (those with a hyphen, and `role`) and children.
 * @param {string} tag @param {Record<string, any>} properties @param {(Node | string)[]} children @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (name.includes("-") || name === "role") made.setAttribute(name, String(value));
    else Object.assign(made, { [name]: value });
  }
  made.append(...children);
  return made;
}

/** Whether a keyboard on the screen opens with the focus. */
export const isTouch = () => matchMedia("(pointer: coarse)").matches;

/** @param {string} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** @param {string} label @param {() => void} onclick @param {string} className @returns {HTMLButtonElement} */
export const button = (label, onclick, className = "") => el("button", { type: "button", onclick, className }, label);

/** Saves a file of this page among the browser's downloads.
 * @param {string} href @param {string} name */
export const download = (href, name) => el("a", { href, download: safeLine(name) }).click();

/** A user's name, with a mark if no key backs it.
 * @param {string} name @param {string | undefined} tag @param {string} className */
export function who(name, tag, className = "") {
  const mark = tag === undefined ? el("span", { className: "dim", title: "no key backs this name: anyone could be using it" }, "?") : "";
  return el("bdi", { className }, safeLine(name), mark);
}

/** The number of a name's colour.
 * @param {string} name */
export function color(name) {
  let sum = 7;
  for (const c of name.toLowerCase()) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 9973;
  return `c${sum % 8}`;
}

/** @param {string} name */
export const tile = (name) =>
  el("span", { className: `tile ${color(name)}`, "aria-hidden": "true" }, [...safeLine(name).toUpperCase()][0] ?? "?");

/** The lines of a remote text, with its links and the user's name.
 * @param {string} msg @param {string} me @param {string} className @param {string[]} sought  words to mark */
export const lines = (msg, me, className = "line", sought = []) =>
  safeLines(msg).map((line) => {
    const row = el("div", { className });
    for (const { kind, text } of parts(line, me, sought)) {
      if (kind === "text") row.append(text);
      else if (kind === "sought") row.append(el("mark", {}, text));
      else if (kind === "mention") row.append(el("span", { className: "mention" }, text));
      else row.append(el("a", { href: text, target: "_blank", rel: "noopener noreferrer" }, text));
    }
    if (!row.firstChild) row.append("\u00a0");
    return row;
  });

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const date = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** @param {number} ts */
export const day = (ts) => date.format(ts);

/** @param {number} ts */
export const time = (ts) =>
  el("time", { dateTime: new Date(ts).toISOString(), title: new Date(ts).toLocaleString() }, clock.format(ts));
