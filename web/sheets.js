// What opens over the chat: search, help, joining a room, writing to someone, and the user's own matters.

import { $, button, day, el, lines, time, who } from "./dom.js";
import { count, search, seq } from "./packets.js";
import { brief, safeLine } from "./text.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./session.js").Session} Session */

/** @param {string} title @param {(Node | string)[]} rows */
export function open(title, ...rows) {
  const sheet = /** @type {HTMLDialogElement} */ ($("sheet"));
  $("sheet-title").textContent = title;
  $("sheet-body").replaceChildren(...rows);
  if (!sheet.open) sheet.showModal();
  /** @type {HTMLElement | null} */ (sheet.querySelector("#sheet-body input, #sheet-body button"))?.focus();
}

export const close = () => /** @type {HTMLDialogElement} */ ($("sheet")).close();

/** A line to type and a button.
 * @param {string} label @param {string} placeholder @param {string} go @param {(value: string) => void} run */
function asks(label, placeholder, go, run) {
  const input = el("input", { placeholder, "aria-label": label, autocapitalize: "none", spellcheck: false });
  const onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (input.value.trim()) run(input.value.trim());
  };
  return el("form", { onsubmit }, input, el("button", { className: "main" }, go));
}

/** @param {Session} session @param {(room: string) => void} join */
export async function rooms(session, join) {
  const list = el("ul", { "aria-label": "Rooms" });
  const go = (/** @type {string} */ name) => {
    close();
    join(name.startsWith("#") ? name : `#${name}`);
  };
  open("Join or create a room", asks("Name of the room", "#games", "Join", go), list);
  const { end } = await session.ask({ type: "rooms" }).catch(() => ({ end: /** @type {Packet} */ ({}) }));
  const found = Array.isArray(end.rooms) ? end.rooms : [];
  for (const { name, topic, here } of found) {
    const about = `${count(Number(here) || 0, "user")} here${topic ? `: ${brief(String(topic), 80)}` : ""}`;
    const row = el("button", { type: "button", onclick: () => go(String(name)) }, el("bdi", {}, safeLine(String(name))), el("span", { className: "dim label" }, about));
    list.append(el("li", {}, row));
  }
  if (!found.length) list.append(el("li", { className: "dim" }, "there are no rooms yet; type a name to create one"));
}

/** @param {Store} store @param {(name: string) => void} go */
export function people(store, go) {
  const list = el("ul", { "aria-label": "People here" });
  const run = (/** @type {string} */ name) => {
    close();
    go(name.replace(/^@/, ""));
  };
  for (const { name, key } of store.people.filter((person) => person.name !== store.me)) {
    list.append(el("li", {}, el("button", { type: "button", onclick: () => run(name) }, who(name, key))));
  }
  open("Write to someone", asks("Name", "name, even of someone who is offline", "Write", run), list);
}

/** Searches; `look` shows a message where it was said.
 * @param {Session} session @param {(packet: Packet) => void} look */
export function find(session, look) {
  const list = el("div", { className: "found", role: "status" });
  const more = button("Show older", () => page(before));
  more.hidden = true;
  let words = "";
  /** @type {number | undefined} */
  let before;
  const page = async (/** @type {number | undefined} */ from) => {
    try {
      const limit = from ? { before: from } : {};
      const { packets, end } = await session.ask({ type: "search", ...search(words), ...limit });
      for (const packet of packets.reverse()) list.append(hit(packet));
      list.append(el("p", { className: "dim" }, String(end.msg ?? "")));
      before = seq(end.seq);
      more.hidden = end.more !== true || !before;
    } catch (refusal) {
      list.append(el("p", { className: "failure" }, brief(String(/** @type {Packet} */ (refusal).msg), 300)));
    }
  };
  const hit = (/** @type {Packet} */ packet) => {
    const ts = Date.parse(String(packet.ts)) || 0;
    const to = String(packet.to);
    const where = el("button", { type: "button", onclick: () => look(packet) }, `in ${to === "all" ? "#lobby" : brief(to, 40)}`);
    const from = String(packet.from?.name);
    return el("div", { className: "row" }, el("div", {}, who(from, packet.from?.key ?? ""), " ", el("span", { className: "dim" }, day(ts), " "), time(ts), " ", where), ...lines(String(packet.msg), session.store.me));
  };
  const run = (/** @type {string} */ value) => {
    words = value;
    list.replaceChildren();
    page(undefined);
  };
  const hint = "words, parts of words or \"exact text\"; from:NAME in:#ROOM after:7d before:2026-11-21 narrow it";
  open("Search", asks("Search for", "words", "Search", run), el("p", { className: "hint" }, hint), list, more);
}

/** @param {Session} session */
export function help(session) {
  const rows = session.commands.map(({ names, usage, help }) => [el("dt", {}, `/${names[0]} ${usage}`), el("dd", {}, help)]);
  const keys = [
    ["Enter, Shift-Enter", "send; a new line"],
    ["Up, in an empty line", "edit your last message"],
    ["Tab", "take the suggestion for a /command, @name or #room"],
    ["Escape", "close what is open, end a reply or an edit"],
    ["Up and Down, among the messages", "go from one to another; Tab then leads to what you can do with it"],
    ["Alt-A", "go to the most urgent unread messages"],
  ].map(([key, does]) => [el("dt", {}, key), el("dd", {}, does)]);
  open("Help", el("dl", {}, ...keys.flat(), ...rows.flat()));
}

/** Asks before something that cannot be taken back.
 * @param {string} question @param {string} yes @param {() => void} run */
export function confirm(question, yes, run) {
  const go = () => {
    close();
    run();
  };
  open(question, el("div", { className: "buttons" }, button(yes, go, "main"), button("Cancel", close)));
}
