// The page: puts the parts together, draws what changed once a frame, and joins.

import { Composer, run } from "./composer.js";
import { outboxDisk, recall, remember } from "./disk.js";
import { $, button, el, tile, who } from "./dom.js";
import { Files } from "./files.js";
import { hasKeys, token } from "./keys.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { LOBBY, count, placeOf, text } from "./packets.js";
import { Session } from "./session.js";
import * as sheets from "./sheets.js";
import { Store } from "./store.js";
import { brief, briefName, safeLine } from "./text.js";

/** How often the page saves how far the user has read. */
const SAVE_EVERY = 1000;

/** The most notifications: one in that time. */
const NOTIFY_EVERY = 3000;

const wide = matchMedia("(min-width: 901px)");
const store = new Store();
const outbox = new Outbox(outboxDisk);
/** @type {Session} */
const session = new Session(store, outbox, { refused, ended, giveBack, arrived, file: (packet) => files.event(packet), welcome });
/** @type {Link} */
const link = new Link({ up: () => (isProbe ? probe() : session.up()), packet, down });
session.link = link;
const ticketOfAddress = () => new URLSearchParams(location.hash.slice(1)).get("t") ?? "";
link.ticket = ticketOfAddress();
// A link that is opened where the page is already only changes the address.
addEventListener("hashchange", () => ticketOfAddress() && location.reload());
/** @type {Files} */
const files = new Files(session, () => link.ticket);
const composer = new Composer(store, session, { command, edit });
const log = new Log(store, session, files, { older: (spot) => session.load(spot), reply: (message) => composer.take("reply", message), edit: (message) => composer.take("edit", message), remove });

/** Whether the connection only asks which server this is. */
let isProbe = false;
let isDrawing = false;
let notified = 0;
let leaving = "";
/** Why the ticket of the link is no good, if nothing else lets the user in. */
let spent = "";

store.changed = () => {
  title();
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
  });
};

/** @param {string} id @param {boolean} isShown */
const show = (id, isShown) => {
  $(id).hidden = !isShown;
};

// --- joining ---

/** @param {string} why */
function ask(why = "") {
  show("join", true);
  show("chat", false);
  $("why").textContent = spent || why;
  $("name").focus();
}

function probe() {
  link.send({ type: "ping", id: "probe" });
}

/** @param {Packet} pong */
function met(pong) {
  const isIn = Boolean(link.ticket);
  isProbe = false;
  link.leave();
  useUp();
  const { server, total, closed } = pong;
  $("server").textContent = brief(text(server?.name), 60) || "lanchat";
  const here = `${count(Number(total) || 0, "user")} ${total === 1 ? "is" : "are"} here`;
  const door = closed && !isIn ? "; it is closed: you need a link from someone who is in" : "";
  $("about").textContent = `${here}${door}`;
}

/** The ticket of the link has done its work. */
function useUp() {
  link.ticket = "";
  if (location.hash) history.replaceState(null, "", location.pathname);
}

/** @param {Packet} packet */
function packet(packet) {
  if (isProbe && packet.type === "pong") met(packet);
  else if (packet.code === "bad_ticket" && link.ticket) {
    // A member who opens an old link needs none.
    spent = brief(text(packet.msg), 300);
    useUp();
    link.leave();
    link.connect();
  } else if (isProbe && packet.type === "error") {
    isProbe = false;
    link.leave();
    ask(brief(text(packet.msg), 300));
  } else session.packet(packet);
}

/** @param {string} why @param {number} seconds */
function down(why, seconds) {
  if (isProbe) {
    $("about").textContent = brief(why, 200);
    return;
  }
  if (!$("join").hidden) {
    $("why").textContent = brief(why, 300);
    link.leave();
    return;
  }
  files.lost();
  session.down(brief(why, 300), seconds);
}

/** @param {Packet} error */
function refused(error) {
  link.leave();
  ask(brief(text(error.msg), 300));
  if (error.name) $("name").value = text(error.name);
  $("name").select();
}

/** @param {Packet} bye */
function ended(bye) {
  link.leave();
  leaving = brief(text(bye.msg), 300) || "goodbye";
  session.down(leaving, 0);
}

function welcome() {
  isProbe = false;
  useUp();
  spent = "";
  leaving = "";
  remember("name", store.me);
  show("join", false);
  show("chat", true);
  session.recall();
  files.again();
  if (matchMedia("(pointer: fine)").matches) composer.input.focus();
}

/** @param {string} name */
function enter(name) {
  isProbe = false;
  link.leave();
  session.token = hasKeys ? "" : token();
  leaving = "";
  session.enter(name);
}

// --- what the user does ---

/** @param {Spot} spot @param {string} line */
function giveBack(spot, line) {
  composer.giveBack(spot, line);
}

/** @param {string} name */
function go(name) {
  const spot = store.go(name);
  spot.joined = spot.joined || spot.isDirect;
  drawer("");
  session.askPeople();
}

/** @param {string} room */
async function join(room) {
  try {
    const { end } = await session.ask({ type: "join", room });
    store.room(end);
    go(text(end.room));
  } catch (refusal) {
    store.note(text(/** @type {Packet} */ (refusal).msg), "failure");
    giveBack(store.current, `/join ${room}`);
  }
}

/** @param {string} name @param {string} rest @param {string} line */
function command(name, rest, line) {
  const does = {
    join: (/** @type {string} */ rooms) => {
      const names = rooms.split(/[\s,]+/).filter(Boolean);
      if (names.length) for (const room of names) join(room.startsWith("#") ? room : `#${room}`);
      else sheets.rooms(session, join);
    },
    search: () => sheets.find(session, look),
    help: () => sheets.help(session),
    next,
    send: () => $("pick").click(),
    clear: () => {
      const { messages } = store.current;
      store.current.messages = messages.filter((message) => message.kind === "chat" || message.kind === "file");
      store.changed();
    },
    quit: leave,
  };
  run(name, rest, line, { store, session, composer, does });
}

function next() {
  const spot = store.next;
  if (spot) go(spot.isDirect ? `@${spot.name}` : spot.name);
  else store.note("you have read everything");
}

/** @param {Message} message @param {string} msg */
async function edit(message, msg) {
  try {
    await session.edit(message.seq ?? 0, msg);
  } catch (refusal) {
    store.note(text(/** @type {Packet} */ (refusal).msg), "failure");
    composer.take("edit", message);
    composer.input.value = msg;
  }
}

/** @param {Message} message */
function remove(message) {
  sheets.confirm("Delete this message for everyone?", "Delete", () => {
    const told = (/** @type {Packet} */ refusal) => store.note(text(refusal.msg), "failure");
    session.delete(message.seq ?? 0).catch(told);
  });
}

/** Shows a found message's place; older messages come as the user scrolls back.
 * @param {Packet} packet */
function look(packet) {
  const spot = placeOf(packet, store.me);
  sheets.close();
  if (!spot.isDirect && spot.key !== LOBBY && !store.spots.get(spot.key)?.joined) join(spot.name);
  else go(spot.isDirect ? `@${spot.name}` : spot.name);
}

function leave() {
  link.send({ type: "quit", to: "server" });
  link.leave();
  leaving = "you have left";
  session.down(leaving, 0);
}

/** @param {FileList | null | undefined} list */
function offer(list) {
  const spot = store.current;
  for (const source of list ?? []) {
    files.offer(spot, source).catch((/** @type {Packet} */ refusal) => store.note(`${briefName(source.name)} is not offered: ${text(refusal.msg)}`, "failure"));
  }
}

/** The user's own matters. */
function self() {
  const away = el("input", { placeholder: "lunch", "aria-label": "Why you are away", maxLength: 100 });
  const name = el("input", { value: store.me, "aria-label": "Your name", spellcheck: false });
  const run = (/** @type {string} */ line) => () => {
    sheets.close();
    session.command(line);
  };
  const ways = store.isAway
    ? [button("I am back", run("/back"))]
    : [el("form", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), run(`/away ${away.value}`)()) }, away, el("button", {}, "I am away"))];
  const may = "Notification" in window && Notification.permission === "default";
  sheets.open(
    "You",
    el("form", { onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), run(`/nick ${name.value.trim()}`)()) }, name, el("button", {}, "Rename")),
    ...ways,
    ...(may ? [button("Notify me of mentions and direct messages", () => Notification.requestPermission().then(sheets.close))] : []),
    button("Leave the chat", () => (sheets.close(), leave())),
  );
}

// --- what happens ---

/** @param {Spot} spot @param {Message} message */
function arrived(spot, message) {
  if (!message.forMe || (document.hasFocus() && !document.hidden)) return;
  const now = Date.now();
  if (!("Notification" in window) || Notification.permission !== "granted" || now - notified < NOTIFY_EVERY) return;
  notified = now;
  try {
    const where = spot.isDirect ? "" : ` in ${spot.name}`;
    const note = new Notification(brief(`${message.from}${where}`, 60), { body: brief(message.text, 160), icon: "/icon.svg", tag: spot.key });
    note.onclick = () => {
      window.focus();
      go(spot.isDirect ? `@${spot.name}` : spot.name);
      note.close();
    };
  } catch {
    // Phones show notifications of installed pages only.
  }
}

function title() {
  const { forMe } = store;
  const name = store.server.name ? `${brief(store.server.name, 40)} · lanchat` : "lanchat";
  const all = forMe ? `(${forMe}) ${name}` : name;
  if (document.title !== all) document.title = all;
}

/** Opens the list of rooms or of people over a narrow page, or closes both.
 * @param {string} id */
function drawer(id) {
  const isNarrow = !matchMedia("(min-width: 641px)").matches;
  $("side").classList.toggle("open", id === "side");
  $("side").inert = isNarrow && id !== "side";
  const isOver = id === "side" || (id === "people" && !wide.matches);
  show("people", wide.matches ? recall("people") !== false : id === "people");
  show("shade", isOver);
  $("main").inert = isOver;
  $("menu").setAttribute("aria-expanded", String(id === "side"));
  $("who").setAttribute("aria-expanded", String(!$("people").hidden));
  if (isOver) $(id).querySelector("button")?.focus();
}

// --- drawing ---

/** @typedef {{key: string, version: string, make: () => HTMLElement}} Row */

/** @param {Spot} spot @returns {Row} */
function listed(spot) {
  const isHere = spot.key === store.here;
  const make = () => {
    const name = safeLine(spot.name);
    const label = el("span", { className: `label${spot.unread ? " unread" : ""}` }, spot.isDirect ? el("bdi", {}, name) : name);
    const hint = el("span", { className: "unseen" }, " unread");
    const badge = spot.unread ? [el("span", { className: `badge${spot.forMe ? " me" : ""}` }, `${spot.unread}`, hint)] : [];
    const onclick = () => go(spot.isDirect ? `@${spot.name}` : spot.name);
    const here = isHere ? { "aria-current": "page" } : {};
    return el("button", { type: "button", onclick, ...here }, ...(spot.isDirect ? [tile(spot.name)] : []), label, ...badge);
  };
  return { key: spot.key, version: `${spot.name} ${isHere} ${spot.unread} ${spot.forMe}`, make };
}

/** @param {Person} person @returns {Row} */
function person({ name, key, away, operator, web }) {
  const marks = [name === store.me && "you", operator && "operator", away !== undefined && "away", web && "web"].filter(Boolean).join(", ");
  const make = () => {
    const open = () => (name === store.me ? self() : go(`@${name}`));
    const label = el("span", { className: "label" }, who(name, key), marks ? el("span", { className: "dim" }, ` ${marks}`) : "");
    return el("button", { type: "button", onclick: open }, tile(name), label);
  };
  return { key: name, version: `${key} ${marks}`, make };
}

/** Draws the rows of a list that are not as they were: a row that stays takes a click and keeps the focus.
 * @param {string} id @param {Row[]} rows */
function fill(id, rows) {
  const list = $(id);
  /** @type {Map<string, any>} */
  const held = new Map([...list.children].map((row) => [row.dataset.key, row]));
  rows.forEach(({ key, version, make }, at) => {
    let row = held.get(key) ?? el("li");
    held.delete(key);
    if (row.dataset.version !== version) {
      const hadFocus = row.contains(document.activeElement);
      row.replaceChildren(make());
      row.dataset.key = key;
      row.dataset.version = version;
      if (hadFocus) row.firstChild.focus();
    }
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
  for (const row of held.values()) row.remove();
}

let drawn = "";

function draw() {
  if ($("chat").hidden) return;
  store.isSeen = !document.hidden && document.hasFocus() && log.follows;
  if (store.isSeen) session.read();
  const spot = store.current;
  const { kind, why, retry } = session.state;
  const isUp = kind === "up" || kind === "catching up";
  const sidebar = JSON.stringify([store.listed.map(({ key, name, unread, forMe }) => [key, name, unread, forMe]), store.here, store.people, store.me, store.isAway, isUp, store.morePeople]);
  if (sidebar !== drawn) {
    drawn = sidebar;
    fill("rooms", store.listed.filter((spot) => !spot.isDirect).map(listed));
    fill("directs", store.listed.filter((spot) => spot.isDirect).map(listed));
    fill("persons", store.people.map(person));
    show("more-people", store.morePeople !== undefined);
    $("self").replaceChildren(el("bdi", {}, safeLine(store.me)), store.isAway ? " (away)" : "");
    const { forMe } = store;
    $("badge").textContent = String(forMe);
    show("badge", forMe > 0);
  }
  $("home").textContent = brief(store.server.name, 60);
  $("title").textContent = safeLine(spot.name);
  $("h-people").textContent = spot.isDirect || spot.key === LOBBY ? `People · ${store.total}` : `In ${safeLine(spot.name)} · ${spot.here}`;
  const topic = spot.topic || (spot.isDirect ? "Direct messages" : spot.key === LOBBY ? "Everyone" : "");
  $("topic").textContent = brief(topic, 300);
  const waiting = outbox.entries.length;
  const queue = waiting && !isUp ? `; ${count(waiting, "message")} will be sent when connected` : "";
  const again = retry >= 1 ? `; trying again in ${Math.round(retry)} s` : "; connecting";
  const status = isUp ? "" : leaving || `${why || "not connected"}${again}${queue}`;
  if ($("status").dataset.told !== status) {
    $("status").dataset.told = status;
    $("status").replaceChildren(status, ...(leaving && !isUp ? [" ", button("Join again", () => enter(session.name))] : []));
  }
  composer.draw();
  log.draw();
}

function save() {
  if (!store.me || session.state.kind !== "up") return;
  remember("state", { server: store.server.id, point: session.point, ...store.saved });
}

// --- the start ---

function listen() {
  $("enter").onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    $("why").textContent = "";
    enter($("name").value.trim());
  };
  $("menu").onclick = () => drawer("side");
  $("shut").onclick = () => drawer("");
  $("shut-people").onclick = () => drawer("");
  $("shade").onclick = () => drawer("");
  $("who").onclick = () => {
    if (wide.matches) remember("people", $("people").hidden);
    drawer($("people").hidden ? "people" : "");
  };
  $("find").onclick = () => sheets.find(session, look);
  $("help").onclick = () => sheets.help(session);
  $("self").onclick = self;
  $("new-room").onclick = () => sheets.rooms(session, join);
  $("new-direct").onclick = () => sheets.people(store, (name) => go(`@${name}`));
  $("more-people").onclick = () => session.people(store.morePeople ?? "").catch(() => {});
  $("attach").onclick = () => $("pick").click();
  $("pick").onchange = () => {
    offer($("pick").files);
    $("pick").value = "";
  };
  $("chat").ondragover = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    show("drop", true);
  };
  $("chat").ondragleave = (/** @type {DragEvent} */ event) => show("drop", event.relatedTarget !== null);
  $("chat").ondrop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    show("drop", false);
    offer(event.dataTransfer?.files);
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") drawer("");
    if (event.altKey && event.key.toLowerCase() === "a") {
      event.preventDefault();
      next();
    }
  });
  for (const type of ["online", "focus", "pageshow"]) addEventListener(type, () => (link.check(), store.changed()));
  addEventListener("offline", () => link.check());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) save();
    else link.check();
    store.changed();
  });
  addEventListener("blur", () => store.changed());
  addEventListener("pagehide", save);
  addEventListener("beforeunload", (event) => files.holds() && event.preventDefault());
  wide.addEventListener("change", () => drawer(""));
  setInterval(save, SAVE_EVERY);
}

function start() {
  listen();
  show("insecure", location.protocol === "http:");
  const kept = recall("state");
  if (kept) {
    session.point = kept.point ?? undefined;
    store.server.id = text(kept.server);
    store.restore(kept);
  }
  drawer("");
  $("keeping").textContent = hasKeys
    ? "Your name belongs to a key that this browser keeps. Some browsers forget it when you stay away for a week."
    : "This page cannot keep a key, so your name stays yours only while you are here.";
  const name = recall("name");
  $("name").value = name ?? "";
  if (name) {
    store.me = name;
    session.recall();
    show("join", false);
    show("chat", true);
    enter(name);
  } else {
    ask();
    isProbe = true;
    link.connect();
  }
}

start();
