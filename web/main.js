// The page: puts the parts together, draws what changed once a frame, and joins.

import { run } from "./commands.js";
import { Composer } from "./composer.js";
import { ofTab, outboxDisk, recall, remember } from "./disk.js";
import { $, button, download, el, isTouch } from "./dom.js";
import { Files } from "./files.js";
import { keepFocus } from "./focus.js";
import { Kept } from "./kept.js";
import { hasKeys, isLoose, keeping, token } from "./keys.js";
import { Link } from "./link.js";
import { fill, personRow, placeRow } from "./lists.js";
import { Log } from "./log.js";
import { notify } from "./notify.js";
import { Offers } from "./offers.js";
import { Outbox } from "./outbox.js";
import { LOBBY, count, seq, text } from "./packets.js";
import { Session } from "./session.js";
import * as sheets from "./sheets.js";
import { Store } from "./store.js";
import { brief, safeLine } from "./text.js";

/** How often the page saves how far the user has read. */
const SAVE_EVERY = 1000;

/** How often the page asks who is away while it shows that: the server tells nobody. */
const ASK_PEOPLE_EVERY = 30_000;

/** In the address of a page that is only opened so that the browser accepts the server's certificate. */
const BACK = "back";

/** The most people for whom it asks. */
const MAX_ASKED = 200;

const wide = matchMedia("(min-width: 901px)");
const store = new Store();
const outbox = new Outbox(outboxDisk);
/** @type {Session} */
const session = new Session(store, outbox, { refused, ended, giveBack, arrived, file: (packet) => files.event(packet), welcome, renamed });
/** @type {Link} */
const link = new Link({ up, packet, down });
session.link = link;
const ticketOfAddress = () => new URLSearchParams(location.hash.slice(1)).get("t") ?? "";
link.ticket = ticketOfAddress();
// A link that is opened where the page is already only changes the address.
addEventListener("hashchange", () => ticketOfAddress() && location.reload());
/** @type {Files} */
const files = new Files(session, link, download);
const offers = new Offers(store, files);
const composer = new Composer(store, session, { command, edit, offer: (list) => offers.pasted(list) });
const log = new Log(store, session, files, {
  older: (spot) => session.past.older(spot), newer: (spot) => session.past.newer(spot), look,
  reply: (message) => composer.take("reply", message), edit: (message) => composer.take("edit", message), remove,
});

/** Whether the connection only asks which server this is. */
let isProbe = false;
let isDrawing = false;
let leaving = "";
/** Why the ticket of the link is no good, if nothing else lets the user in. */
let spent = "";
/** The server that this browser was at last. */
let known = { id: "", name: "" };
/** The id of the server at this address. */
let met = "";
/** Whether the user knows that the browser keeps nothing. */
let isWarned = false;
const kept = new Kept();

/** Not only when the page is drawn: a hidden page draws nothing, and what comes then is unread. */
function see() {
  store.isSeen = !document.hidden && document.hasFocus() && log.follows && !$("chat").hidden;
  store.top = log.follows ? undefined : log.top;
}

store.changed = () => {
  see();
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

/** Asks for a name; who is not let in can only read why.
 * @param {string} why @param {boolean} isShut */
function ask(why = "", isShut = false) {
  show("join", true);
  show("chat", false);
  for (const part of $("enter").querySelectorAll("label, input, button, #keeping")) part.hidden = isShut;
  if (isShut) {
    $("server").textContent = (known.id === met && brief(known.name, 60)) || "lanchat";
    $("about").textContent = "";
  }
  $("why").textContent = spent || why;
  $("name").focus();
}

/** @param {string} server */
function up(server) {
  met = server;
  $("keeping").textContent = keeping();
  if (isProbe) probe();
  else session.up(server);
}

function probe() {
  link.send({ type: "ping", id: "probe" });
}

/** A closed server answers only those whom it lets in.
 * @param {Packet} pong */
function answered(pong) {
  isProbe = false;
  link.leave();
  useUp();
  const { server, total, closed } = pong;
  $("server").textContent = brief(text(server?.name), 60) || "lanchat";
  const here = `${count(Number(total) || 0, "user")} ${total === 1 ? "is" : "are"} here`;
  const door = closed ? "; the server is closed to others and lets you in" : "";
  $("about").textContent = `${here}${door}`;
}

/** The ticket of the link has done its work. */
function useUp() {
  link.ticket = "";
  if (location.hash) history.replaceState(null, "", location.pathname);
}

/** @param {Packet} packet */
function packet(packet) {
  if (isProbe && packet.type === "pong") answered(packet);
  else if (packet.code === "bad_ticket" && link.ticket) {
    // A member who opens an old link needs none.
    spent = brief(text(packet.msg), 300);
    useUp();
    link.leave();
    link.connect();
  } else if (isProbe && packet.type === "error") {
    isProbe = false;
    link.leave();
    ask(brief(text(packet.msg), 300), packet.code === "key_required");
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
  if ($("join").hidden && link.goesOn(error)) return;
  link.leave();
  ask(brief(text(error.msg), 300), error.code === "key_required");
  if (error.name) $("name").value = text(error.name);
  $("name").select();
}

/** @param {Packet} bye */
function ended(bye) {
  link.leave();
  end(brief(text(bye.msg), 300) || "goodbye", "failure");
}

/** The session is over, and the page does not come back by itself.
 * @param {string} why @param {Message["kind"]} kind */
function end(why, kind) {
  leaving = why;
  files.lost();
  session.down(why, 0, kind);
}

/** @param {boolean} isOther */
function welcome(isOther) {
  isProbe = false;
  useUp();
  spent = "";
  leaving = "";
  remember("name", store.me);
  remember("servers", link.servers.saved);
  if (isOther) composer.key = "";
  if (isLoose && !isWarned) warn(keeping());
  // Who returns goes on where they were.
  const isNew = !$("join").hidden || document.activeElement === document.body;
  show("join", false);
  show("chat", true);
  session.recall();
  files.again(isOther);
  if (isNew && !isTouch()) composer.input.focus();
}

/** The next visit begins under the name that the user has now.
 * @param {string} name */
function renamed(name) {
  remember("name", name);
}

/** Says once that the browser keeps nothing.
 * @param {string} why */
function warn(why) {
  isWarned = true;
  store.note(why, "failure");
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
  session.visit();
}

/** @param {string[]} rooms */
async function join(...rooms) {
  const refused = [];
  const whys = new Set();
  for (const room of rooms) {
    try {
      const { end } = await session.ask({ type: "join", room });
      store.room(end);
      go(text(end.room));
    } catch (refusal) {
      refused.push(room);
      whys.add(text(/** @type {Packet} */ (refusal).msg));
    }
  }
  if (!refused.length) return;
  giveBack(store.current, `/join ${refused.join(" ")}`);
  for (const why of whys) store.note(why, "failure");
}

/** @param {string} name @param {string} rest @param {string} line */
function command(name, rest, line) {
  const does = {
    join: (/** @type {string} */ rooms) => {
      const names = rooms.split(/[\s,]+/).filter(Boolean);
      if (names.length) join(...names.map((room) => (room.startsWith("#") ? room : `#${room}`)));
      else sheets.rooms(session, join);
    },
    search: (/** @type {string} */ words) => sheets.find(session, found, words),
    mentions: () => sheets.mentioned(session, found),
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
    composer.take("edit", message, msg);
  }
}

/** @param {Message} message */
function remove(message) {
  sheets.confirm("Delete this message for everyone?", "Delete", () => {
    const told = (/** @type {Packet} */ refusal) => store.note(text(refusal.msg), "failure");
    session.delete(message.seq ?? 0).catch(told);
  });
}

/** Shows a found message where it was said.
 * @param {Packet} packet */
async function found(packet) {
  const spot = store.placeOf(packet);
  sheets.close();
  if (!spot.isDirect && spot.key !== LOBBY && !store.spots.get(spot.key)?.joined) await join(spot.name);
  else go(spot.isDirect ? `@${spot.name}` : spot.name);
  if (store.here === spot.key) look(store.current, seq(packet.seq) ?? 0);
}

/** Leads the user to a message of the present place.
 * @param {Spot} spot @param {number} of */
async function look(spot, of) {
  try {
    if (!spot.bySeq.has(of) && session.state.kind !== "up") throw { msg: "not connected: that message is not in the page" };
    await session.past.around(spot, of);
    if (store.current === spot && !log.show(of)) store.note("that message is not here any more", "failure");
  } catch (refusal) {
    store.note(text(/** @type {Packet} */ (refusal).msg), "failure");
  }
}

function leave() {
  link.send({ type: "quit", to: "server" });
  link.leave();
  end("you have left", "note");
}

/** Whether the browser had no room for the drafts. */
let isUnkept = false;

/** Whether the browser loses something if the page closes now. */
const holds = () => files.holds() || outbox.loose.size > 0 || store.isOverfull || (isUnkept && store.hasDraft);

function self() {
  const run = (/** @type {string} */ line) => {
    const [, name, rest] = /^\/(\S+) ?(.*)$/.exec(line) ?? ["", "", ""];
    command(name, rest, line);
  };
  sheets.you(session, run, leave);
}

// --- what happens ---

/** @param {Spot} spot @param {Message} message */
function arrived(spot, message) {
  if (!message.forMe || (document.hasFocus() && !document.hidden) || store.attention.isSilent()) return;
  const where = spot.isDirect ? "" : ` in ${spot.name}`;
  notify(brief(`${message.from}${where}`, 60), brief(message.text, 160), spot.key, () => go(spot.isDirect ? `@${spot.name}` : spot.name));
}

/** Says how much is for the user, and in a hidden tab, how much is unread. */
function title() {
  const unread = document.hidden ? store.unread : store.forMe;
  const name = store.server.name ? `${brief(store.server.name, 40)} · lanchat` : "lanchat";
  const all = unread ? `(${unread}) ${name}` : name;
  if (document.title !== all) document.title = all;
}

/** Asks who is away, if the page shows it. */
function askPeople() {
  const isShown = !document.hidden && !$("chat").hidden && !$("people").hidden;
  if (isShown && session.state.kind === "up" && store.total <= MAX_ASKED && !session.isLong) session.askPeople();
}

/** Opens the list of rooms or of people over a narrow page, or closes both.
 * @param {string} id */
function drawer(id) {
  const isNarrow = !matchMedia("(min-width: 641px)").matches;
  const left = ["side", "people"].find((list) => list !== id && $(list).contains(document.activeElement));
  $("side").classList.toggle("open", id === "side");
  $("side").inert = isNarrow && id !== "side";
  const isOver = id === "side" || (id === "people" && !wide.matches);
  show("people", wide.matches ? recall("people") !== false : id === "people");
  if (!$("people").hidden) askPeople();
  show("shade", isOver);
  $("main").inert = isOver;
  $("menu").setAttribute("aria-expanded", String(id === "side"));
  $("who").setAttribute("aria-expanded", String(!$("people").hidden));
  if (isOver) $(id).querySelector("button")?.focus();
  else if (left && ($(left).inert || $(left).hidden)) $(left === "side" ? "menu" : "who").focus();
}

// --- drawing ---

let drawn = "";

function draw() {
  if ($("chat").hidden) return;
  if (store.isSeen) session.read();
  const spot = store.current;
  const { kind, why, retry } = session.state;
  const isUp = kind === "up" || kind === "catching up";
  const sidebar = JSON.stringify([store.listed.map(({ key, name, unread, forMe }) => [key, name, unread, forMe]), store.here, store.people, store.me, store.isAway, isUp, store.morePeople, store.attention]);
  if (sidebar !== drawn) {
    drawn = sidebar;
    const placed = (/** @type {Spot} */ spot) => placeRow(spot, spot.key === store.here, () => go(spot.isDirect ? `@${spot.name}` : spot.name));
    fill("rooms", store.listed.filter((spot) => !spot.isDirect).map(placed));
    fill("directs", store.listed.filter((spot) => spot.isDirect).map(placed));
    fill("persons", store.people.map((person) => {
      const { name, key } = person;
      const isMe = name === store.me;
      const more = [isMe ? "you" : "", store.attention.hides(name, key) ? "ignored" : ""];
      return personRow(person, more, () => (isMe ? self() : go(`@${name}`)));
    }));
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
  const isIgnored = store.attention.listed().some(({ name }) => name.toLowerCase() === spot.name.toLowerCase());
  $("ignore").textContent = isIgnored ? "Stop ignoring" : "Ignore";
  show("ignore", spot.isDirect && spot.name !== store.me);
  const waiting = outbox.entries.length;
  const queue = waiting && !isUp ? `; ${count(waiting, "message")} will be sent when connected` : "";
  const again = retry >= 1 ? `; trying again in ${Math.round(retry)} s` : "; connecting";
  const status = isUp ? "" : leaving || `${why || "not connected"}${again}${queue}`;
  const others = isUp || leaving ? [] : elsewhere();
  const told = JSON.stringify([status, others]);
  if ($("status").dataset.told !== told) {
    $("status").dataset.told = told;
    const more = leaving && !isUp ? [" ", button("Join again", () => enter(session.name))] : others.length ? wayTo(others) : [];
    $("status").replaceChildren(status, ...more);
  }
  composer.draw();
  log.draw();
  const wasSeen = store.isSeen;
  see();
  if (store.isSeen && !wasSeen) store.changed();
}

/** Other servers of the chat whose certificates this browser may not know yet: no page can ask the user about them. */
const elsewhere = () => (location.protocol === "https:" && link.servers.rounds > 0 ? link.servers.strangers : []);

/** Tells how this page can go on at another server.
 * @param {{node: string, host: string}[]} others */
function wayTo(others) {
  const links = others.flatMap(({ node, host }, at) => {
    const open = { href: `https://${host}/#${BACK}`, target: "_blank", rel: "noopener noreferrer" };
    return [at ? ", " : " ", el("a", open, `server ${node}`)];
  });
  const how = `. To go on at another server, keep this tab, open the server in another one, and accept its certificate:`;
  return [how, ...links];
}

let attended = "";

function attend() {
  store.attention.restore(recall("attention"));
  attended = JSON.stringify(store.attention.saved);
  store.changed();
}

function save() {
  const { saved } = store.attention;
  // Another page of this browser has its own changes.
  if (attended !== JSON.stringify(saved)) remember("attention", saved);
  attended = JSON.stringify(saved);
  // While messages come in, their numbers are not yet what the page has read.
  if (!store.me || !store.server.id || session.state.kind === "catching up") return;
  const state = { server: store.server.id, home: store.server.name, point: session.point, ...store.saved };
  remember("state", state, ofTab);
  isUnkept = !remember("state", kept.merged(state, recall("state")));
  if (isUnkept && !isWarned && store.hasDraft) {
    warn("this browser's storage for the page is full or switched off: a text that you have not sent is lost when you close the page");
  }
}

// --- the start ---

function listen() {
  $("enter").onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = $("name").value.trim();
    $("why").textContent = name ? "" : "type a name first: the others see it";
    if (name) enter(name);
    else $("name").focus();
  };
  $("menu").onclick = () => drawer("side");
  $("shut").onclick = () => drawer("");
  $("shut-people").onclick = () => drawer("");
  $("shade").onclick = () => drawer("");
  $("who").onclick = () => {
    if (wide.matches) remember("people", $("people").hidden);
    drawer($("people").hidden ? "people" : "");
  };
  $("ignore").onclick = () => {
    const name = $("ignore").textContent === "Ignore" ? "ignore" : "unignore";
    command(name, store.current.name, `/${name} ${store.current.name}`);
  };
  $("find").onclick = () => sheets.find(session, found);
  $("help").onclick = () => sheets.help(session);
  $("self").onclick = self;
  $("new-room").onclick = () => sheets.rooms(session, join);
  $("new-direct").onclick = () => sheets.people(store, (name) => go(`@${name}`));
  $("more-people").onclick = () => session.people(store.morePeople ?? "").catch(() => {});
  offers.listen();
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") drawer("");
    if (event.altKey && event.key.toLowerCase() === "a") {
      event.preventDefault();
      next();
    }
  });
  for (const type of ["online", "focus", "pageshow"]) addEventListener(type, () => (link.check(), askPeople(), store.changed()));
  addEventListener("offline", () => link.check());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) save();
    else link.check();
    store.changed();
  });
  addEventListener("blur", () => store.changed());
  addEventListener("pagehide", save);
  addEventListener("storage", (event) => event.key === "attention" && attend());
  addEventListener("beforeunload", (event) => holds() && event.preventDefault());
  wide.addEventListener("change", () => drawer(""));
  setInterval(save, SAVE_EVERY);
  setInterval(askPeople, ASK_PEOPLE_EVERY);
}

function start() {
  listen();
  keepFocus(() => ($("chat").hidden ? $("name") : isTouch() ? log.root : composer.input));
  attend();
  show("insecure", location.protocol === "http:");
  const servers = recall("servers");
  if (servers) link.servers.welcome(servers);
  const state = kept.first(recall("state"), recall("state", ofTab));
  if (state) {
    session.point = state.point ?? undefined;
    known = { id: text(state.server), name: text(state.home) };
    store.server.id = known.id;
    store.server.name = known.name;
    store.restore(state);
  }
  drawer("");
  $("keeping").textContent = keeping();
  if (location.hash === `#${BACK}`) {
    ask("", true);
    $("about").textContent = "This browser accepts this server now. Go back to the other tab: the chat goes on there by itself.";
    return;
  }
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
