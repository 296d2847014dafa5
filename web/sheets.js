// What opens over the chat: search, mentions, help, joining a room, writing to someone, and the user's own matters.

import { $, button, color, el, isTouch, lines, who } from "./dom.js";
import { mentions } from "./links.js";
import { askToNotify, notifying } from "./notify.js";
import { count, isMine, placeOf, search, seq, text } from "./packets.js";
import { brief, safeLine } from "./text.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./session.js").Session} Session */

/** @param {string} title @param {(Node | string)[]} rows */
export function open(title, ...rows) {
  const sheet = /** @type {HTMLDialogElement} */ ($("sheet"));
  $("sheet-title").textContent = title;
  $("sheet-body").replaceChildren(...rows);
  if (!sheet.open) sheet.showModal();
  /** @type {HTMLElement} */ (sheet.querySelector("#sheet-body input, #sheet-body button") ?? $("sheet-body")).focus();
  $("sheet-body").scrollTop = 0;
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

/** @typedef {(packet: Packet) => void} Look  shows a message where it was said */

const moment = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

/** A found message: a click anywhere on it leads there.
 * @param {Packet} packet @param {Store} store @param {string[]} sought @param {Look} look */
function hit(packet, { me, tag }, sought, look) {
  const spot = placeOf(packet, me, tag);
  const from = text(packet.from?.name);
  const ts = Date.parse(text(packet.ts)) || 0;
  const where = spot.isDirect ? (isMine(packet, me, tag) ? `to ${brief(spot.name, 40)}` : "to you") : brief(spot.name, 40);
  const when = el("time", { dateTime: new Date(ts).toISOString() }, moment.format(ts));
  const head = el("button", { type: "button", title: "Go to this message" }, who(from, packet.from?.key ?? "", `who ${color(from)}`), el("span", { className: "dim" }, where), when);
  const onclick = (/** @type {Event} */ event) => {
    // Who selects some of it or opens a link stays.
    const chosen = getSelection();
    const isSelected = String(chosen) !== "" && row.contains(chosen?.anchorNode ?? null);
    if (!(/** @type {Element} */ (event.target).closest("a")) && !isSelected) look(packet);
  };
  const said = packet.action === true ? `* ${from} ${text(packet.msg)}` : text(packet.msg);
  const row = el("div", { className: "hit", onclick }, head, ...lines(said, me, "line", sought));
  return row;
}

/** Lists what a search finds, a page at a time.
 * @param {Session} session @param {HTMLElement} list @param {HTMLElement} more @param {Look} look */
function searcher(session, list, more, look) {
  const { store } = session;
  const isHidden = (/** @type {Packet} */ packet) =>
    !isMine(packet, store.me, store.tag) && store.attention.hides(text(packet.from?.name), packet.from?.key);
  return async (/** @type {Packet} */ request, /** @type {(packet: Packet) => boolean} */ isWanted) => {
    list.replaceChildren();
    const sought = (text(request.msg).match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"|"$|\*$/g, "")).filter(Boolean);
    const page = async (/** @type {number | undefined} */ from) => {
      more.hidden = true;
      try {
        const { packets, end } = await session.ask({ type: "search", ...request, ...(from && { before: from }) });
        const found = packets.filter((packet) => isWanted(packet) && !isHidden(packet)).reverse();
        list.append(...found.map((packet) => hit(packet, store, sought, look)));
        const before = seq(end.seq);
        more.hidden = end.more !== true || !before;
        more.onclick = () => page(before);
        const told = found.length === packets.length ? text(end.msg) : count(found.length, "message");
        list.append(el("p", { className: "hint" }, end.more === true ? `${told}; there may be older ones` : told));
      } catch (refusal) {
        list.append(el("p", { className: "failure" }, brief(text(/** @type {Packet} */ (refusal).msg), 300)));
      }
    };
    await page(undefined);
  };
}

/** @returns {[HTMLElement, HTMLElement]} */
function results() {
  const more = button("Show older", () => {});
  more.hidden = true;
  return [el("div", { className: "found", role: "status" }), more];
}

/** @param {Session} session @param {Look} look @param {string} words  to begin with */
export function find(session, look, words = "") {
  const [list, more] = results();
  const run = searcher(session, list, more, look);
  const form = asks("Search for", "words", "Search", (value) => run(search(value), () => true));
  const hint = "Words, parts of words or \"exact text\". from:NAME in:#ROOM after:7d before:2026-11-21 narrow it.";
  open("Search", form, el("p", { className: "hint" }, hint), list, more);
  if (!words) return;
  form.querySelector("input").value = words;
  run(search(words), () => true);
}

/** The messages of others with the user's name, or with an earlier one while the user had it.
 * @param {Session} session @param {Look} look */
export async function mentioned(session, look) {
  const { store } = session;
  const { me, tag, former } = store;
  const names = [{ name: me, until: Infinity }, ...former.filter(({ name }) => name !== me)];
  const parts = names.map((name) => ({ ...name, found: results() }));
  const head = (/** @type {string} */ name) => (name === me ? [] : [el("h3", {}, "When you were ", el("bdi", {}, safeLine(name)))]);
  open("Mentions of you", ...parts.flatMap(({ name, found }) => [...head(name), ...found]));
  for (const { name, until, found: [list, more] } of parts) {
    const isMention = (/** @type {Packet} */ packet) =>
      !isMine(packet, me, tag) && mentions(text(packet.msg), name) && !(Date.parse(text(packet.ts)) > until);
    await searcher(session, list, more, look)({ msg: `"${name.replaceAll("\"", "")}"` }, isMention);
    if (name === me) list.querySelector("button")?.focus();
  }
}

/** @param {Session} session */
export function help(session) {
  const commands = session.commands.map(({ names, usage, help }) => [`/${names[0]} ${usage}`, help]);
  const keys = [
    ["Enter, Shift-Enter", "send; a new line"],
    ["Up, in an empty line", "edit your last message"],
    ["Tab", "take the suggestion for a /command, @name or #room"],
    ["Escape", "close what is open, end a reply or an edit"],
    ["Up and Down, among the messages", "go from one to another; Tab then leads to what you can do with it"],
    ["Alt-A", "go to the most urgent unread messages"],
  ];
  const touch = [
    ["Tap a message", "to reply, edit or delete it"],
    ["Scroll up", "to see older messages"],
  ];
  const list = (/** @type {string} */ title, /** @type {string[][]} */ rows) => [
    el("h3", {}, title),
    el("dl", {}, ...rows.flatMap(([what, does]) => [el("dt", {}, what), el("dd", {}, does)])),
  ];
  open("Help", ...(isTouch() ? list("Messages", touch) : list("Keys", keys)), ...list("Commands, typed like a message", commands));
}

/** The user's own matters: `run` gives a command.
 * @param {Session} session @param {(line: string) => void} run @param {() => void} leave */
export function you(session, run, leave) {
  const { store } = session;
  const { attention } = store;
  const does = (/** @type {() => void} */ act) => () => {
    close();
    act();
  };
  const again = () => you(session, run, leave);
  const part = (/** @type {string} */ title, /** @type {(Node | string)[]} */ ...rows) => el("section", {}, el("h3", {}, title), ...rows);
  const hint = (/** @type {string} */ told) => el("p", { className: "hint" }, told);
  const form = (/** @type {any} */ input, /** @type {string} */ label, /** @type {(value: string) => string} */ line) => {
    const onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      does(() => run(line(input.value.trim())))();
    };
    return el("form", { onsubmit }, input, el("button", {}, label));
  };
  const name = el("input", { value: store.me, "aria-label": "Your name", spellcheck: false, autocapitalize: "none" });
  const reason = el("input", { placeholder: "why: lunch", "aria-label": "Why you are away" });
  const { canAsk, isOn, told } = notifying();
  const silence = attention.isSilent() ? button("Notify me again", does(() => run("/dnd off"))) : button("Do not disturb", does(() => run("/dnd on")));
  const ask = button("Notify me", () => askToNotify().then(again));
  const ignored = attention.listed().map((user) => el("li", {}, el("bdi", {}, safeLine(user.name)), button("Show messages again", does(() => run(`/unignore ${user.name}`)))));
  open(
    "You",
    part("Your name", form(name, "Rename", (value) => `/nick ${value}`)),
    part("Absence", ...(store.isAway ? [button("I am back", does(() => run("/back")))] : [form(reason, "I am away", (value) => `/away ${value}`)])),
    part("Notifications", hint(told), ...(canAsk ? [ask] : isOn ? [silence] : [])),
    ...(ignored.length ? [part("Users you ignore", el("ul", {}, ...ignored))] : []),
    part("This session", hint(`${brief(store.server.name, 60)}, ${location.protocol === "https:" ? "encrypted" : "not encrypted"}`), button("Leave the chat", does(leave))),
  );
  // A keyboard would hide most of it.
  if (isTouch()) $("sheet-body").focus();
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
