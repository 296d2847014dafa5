// The lists beside the messages: rooms, conversations, people.

import { $, el, tile, who } from "./dom.js";
import { safeLine } from "./text.js";

/** @typedef {{key: string, version: string, make: () => HTMLElement}} Row */

/** @param {Spot} spot @param {boolean} isHere @param {() => void} onclick @returns {Row} */
export function placeRow(spot, isHere, onclick) {
  const make = () => {
    const name = safeLine(spot.name);
    const label = el("span", { className: `label${spot.unread ? " unread" : ""}` }, spot.isDirect ? el("bdi", {}, name) : name);
    const hint = el("span", { className: "unseen" }, " unread");
    const badge = spot.unread ? [el("span", { className: `badge${spot.forMe ? " me" : ""}` }, `${spot.unread}`, hint)] : [];
    const here = isHere ? { "aria-current": "page" } : {};
    return el("button", { type: "button", onclick, ...here }, ...(spot.isDirect ? [tile(spot.name)] : []), label, ...badge);
  };
  return { key: spot.key, version: `${spot.name} ${isHere} ${spot.unread} ${spot.forMe}`, make };
}

/** @param {Person} person @param {string[]} more  what else there is to say of them @param {() => void} onclick @returns {Row} */
export function personRow({ name, key, away, operator, web, nodes }, more, onclick) {
  const marks = [...more, operator && "operator", away !== undefined && "away", web && "web"].filter(Boolean).join(", ");
  const where = Array.isArray(nodes) && nodes.length ? safeLine(`at server ${nodes.join(", ")}`) : "";
  const make = () => {
    const label = el("span", { className: "label" }, who(name, key), marks ? el("span", { className: "dim" }, ` ${marks}`) : "");
    return el("button", { type: "button", onclick, ...(where && { title: where }) }, tile(name), label);
  };
  return { key: name, version: `${key} ${marks} ${where}`, make };
}

/** Draws the rows of a list that are not as they were, so that a row that stays takes a click.
 * @param {string} id @param {Row[]} rows */
export function fill(id, rows) {
  const list = $(id);
  /** @type {Map<string, any>} */
  const held = new Map([...list.children].map((row) => [row.dataset.key, row]));
  const wanted = new Set(rows.map(({ key }) => key));
  // First, so that what stays need not move.
  for (const [key, row] of held) if (!wanted.has(key)) row.remove();
  rows.forEach(({ key, version, make }, at) => {
    const row = held.get(key) ?? el("li");
    if (row.dataset.version !== version) {
      row.replaceChildren(make());
      Object.assign(row.dataset, { key, version });
    }
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
}
