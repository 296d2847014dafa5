// What the page knows of the protocol without a connection: see PROTOCOL.md. Pure: no DOM, no network.

export const LOBBY = "#lobby";

/** Most bytes of a text, unless the welcome says otherwise. */
export const TEXT_BYTES = 10_000;

/** Begins the text of an `edited` event. */
const CORRECTED = "corrected: ";

/**
 * Cuts a WebSocket message into packets. What is not an object is not one.
 * @param {string} message
 * @returns {Packet[]}
 */
export function packets(message) {
  const found = [];
  for (const line of message.split("\n")) {
    if (!line) continue;
    try {
      const packet = JSON.parse(line);
      if (packet && typeof packet === "object" && !Array.isArray(packet)) found.push(packet);
    } catch {
      // The server sends only objects; another program behind this address may send anything.
    }
  }
  return found;
}

/** A member that should be a text.
 * @param {any} value */
export const text = (value) => (typeof value === "string" ? value : "");

/** A member that should be a number of a message.
 * @param {any} value */
export const seq = (value) => (Number.isSafeInteger(value) && value > 0 ? value : undefined);

/** The text of an `edited` event without the words before it.
 * @param {string} msg */
export const corrected = (msg) => (msg.startsWith(CORRECTED) ? msg.slice(CORRECTED.length) : msg);

/** The bytes of a text in UTF-8.
 * @param {string} msg */
export const bytes = (msg) => new TextEncoder().encode(msg).length;

/** @param {string} to */
const isLobby = (to) => ["all", "broadcast", LOBBY].includes(to.toLowerCase());

/** The place with that name: `all`, `#games`, `bob`, `@bob`.
 * @param {string} name @returns {Place} */
export function place(name) {
  if (isLobby(name)) return { key: LOBBY, name: LOBBY, isDirect: false };
  if (name.startsWith("#")) return { key: name.toLowerCase(), name, isDirect: false };
  const bare = name.startsWith("@") ? name.slice(1) : name;
  return { key: `@${bare.toLowerCase()}`, name: bare, isDirect: true };
}

/** The mark that a key has in messages, of its fingerprint.
 * @param {string} key */
export const tagOf = (key) => key.replace(/^SHA256:/, "").slice(0, 8).replaceAll("+", "-").replaceAll("/", "_") || undefined;

/** Whether the user said that, perhaps under an earlier name. A key decides: names change hands. What came to the user
 * from another name, as of a second page in this browser, is someone else's.
 * @param {Packet} packet @param {string} me @param {string} [tag]  of the user's key, if there is one */
export function isMine(packet, me, tag) {
  if (packet.from?.key !== tag) return false;
  return text(packet.from?.name) === me || (tag !== undefined && text(packet.to) !== me);
}

/** Where a message belongs.
 * @param {Packet} packet @param {string} me @param {string} [tag] @returns {Place} */
export function placeOf(packet, me, tag) {
  const to = text(packet.to);
  if (isLobby(to) || to.startsWith("#")) return place(to);
  return place(`@${isMine(packet, me, tag) ? to : text(packet.from?.name)}`);
}

/** The `to` of a message to that place.
 * @param {Place} spot */
export const target = (spot) => (spot.key === LOBBY ? "all" : spot.name);

/** The members that name a place in a request: `room`, `name` or neither.
 * @param {Place} spot @returns {Packet} */
export function named(spot) {
  if (spot.key === LOBBY) return {};
  return spot.isDirect ? { name: spot.name } : { room: spot.name };
}

/** Ids for packets, unique over all runs: the server recognises repeated messages by them. */
export class Ids {
  constructor() {
    const random = crypto.getRandomValues(new Uint8Array(8));
    this.prefix = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    this.count = 0;
  }

  next() {
    this.count += 1;
    return `${this.prefix}-${this.count}`;
  }
}

/** The commands that the page carries out itself: name, arguments, help, as in the terminal. */
export const OWN_COMMANDS = [
  ["query", "[NAME|#ROOM] [TEXT]", "switch to NAME or #ROOM, and send TEXT there; with neither, back to #lobby"],
  ["r", "TEXT", "answer the last person who messaged you"],
  ["edit", "TEXT", "replace the text of your last message"],
  ["next", "", "go to the most urgent unread messages"],
  ["mentions", "", "show the last messages with your name"],
  ["ignore", "[NAME [DURATION]]", "hide a user's messages, for DURATION or until /unignore; without NAME, list the users you ignore"],
  ["unignore", "NAME", "show a user's messages again"],
  ["dnd", "[on|DURATION|off]", "silence notifications, for DURATION or until /dnd off"],
  ["send", "", "offer files to the people here"],
  ["status", "", "show the state of the connection; to operators, also the server's numbers"],
  ["clear", "", "clear the screen"],
  ["help", "[COMMAND]", "list the commands, or explain one"],
  ["quit", "", "leave the chat"],
];

const AT_A_PROMPT = "works at a terminal: run lanchat there";
const AT_A_MESSAGE = "is not needed here: point at a message, or tap it, and use its button";
const AT_A_FILE = "is not needed here: a file has its buttons where it was offered";
const BY_SCROLLING = "is not needed here: scroll up, and older messages come";

/** Commands of the terminal that the page does not have, and what to do instead.
 * @type {Record<string, string>} */
export const ELSEWHERE = {
  verify: "works at a terminal: a browser knows no keys to compare", set: AT_A_PROMPT, focus: AT_A_PROMPT, compose: AT_A_PROMPT,
  web: "works at a terminal; this page's address is in the browser's bar", num: AT_A_MESSAGE, delete: AT_A_MESSAGE,
  copy: "is not needed here: select the text", open: "is not needed here: click the link", more: BY_SCROLLING, history: BY_SCROLLING,
  missed: BY_SCROLLING, accept: AT_A_FILE, reject: AT_A_FILE, transfers: AT_A_FILE, cancel: AT_A_FILE,
};

/** Other names of commands that the page must know to carry them out. */
const ALIASES = new Map(Object.entries({
  q: "query", n: "next", m: "msg", w: "msg", whisper: "msg", dm: "msg", pm: "msg", tell: "msg", j: "join",
  leave: "part", h: "help", "?": "help", exit: "quit", bye: "quit", who: "users", names: "users", list: "rooms",
  del: "delete", older: "more", editor: "compose",
}));

/** What to do instead of a command that the page does not have.
 * @param {string} name */
export const elsewhere = (name) => (Object.hasOwn(ELSEWHERE, name) ? `/${name} ${ELSEWHERE[name]}` : undefined);

/** The server's words, which may suggest a command that the page does not have.
 * @param {string} msg */
export function inPage(msg) {
  const instead = elsewhere(/ did you mean \/([a-z]+)/.exec(msg)?.[1] ?? "");
  return instead ? `${msg} ${instead}` : msg;
}

/**
 * Reads the server's answer to `help`: a command a line, its arguments, two or more spaces, its help.
 * @param {string} msg
 * @returns {Command[]}
 */
export function commands(msg) {
  const theirs = msg.split("\n").flatMap((line) => {
    const end = line.startsWith("/") ? line.indexOf("  ") : -1;
    const [name, ...usage] = line.slice(1, Math.max(end, 1)).split(" ");
    return name ? [{ names: [name], usage: usage.join(" "), help: line.slice(end).trimStart() }] : [];
  });
  const own = OWN_COMMANDS.map(([name, usage, help]) => ({ names: [name], usage, help }));
  const isOurs = (/** @type {string} */ name) => Object.hasOwn(ELSEWHERE, name) || own.some((other) => other.names[0] === name);
  const all = [...theirs.filter((row) => !isOurs(row.names[0])), ...own];
  return all.sort((one, other) => (one.names[0] < other.names[0] ? -1 : 1));
}

/**
 * Reads a typed line: a text, or a command with its arguments. A line that cannot be a command is text, such as a
 * path; `//` sends a slash.
 * @param {string} line
 * @param {Command[]} known
 * @returns {{text: string} | {command: string, rest: string}}
 */
export function readLine(line, known) {
  if (!line.startsWith("/")) return { text: line };
  if (line.startsWith("//")) return { text: line.slice(1) };
  const [, word, rest] = /^\/(\S*)\s*([^]*)$/.exec(line) ?? ["", "", ""];
  const name = word.toLowerCase();
  const isKnown = (/** @type {string} */ name) =>
    ALIASES.has(name) || Object.hasOwn(ELSEWHERE, name) || name === "reply" || known.some((command) => command.names.includes(name));
  const end = name.search(/[^\p{L}\p{N}_?-]/u);
  // The names of folders such as /Users begin with a capital letter.
  const isPath = name.includes("/") && !(word[end] === "/" && isKnown(word.slice(0, end)));
  if (end >= 0 && (isPath || !isKnown(name.slice(0, end)))) return { text: line };
  if (line.trimEnd().includes("\n") && !isKnown(name)) return { text: line };
  return { command: ALIASES.get(name) ?? name, rest: rest.trimEnd() };
}

/** The first word, and what comes after it.
 * @param {string} rest @returns {[string, string]} */
export function firstWord(rest) {
  const [, word, after] = /^(\S*)\s*([^]*)$/.exec(rest) ?? ["", "", ""];
  return [word, after];
}

/** The members of a search, from its words and filters.
 * @param {string} line @returns {Packet} */
export function search(line) {
  /** @type {Packet} */
  const request = {};
  /** @type {Record<string, string>} */
  const filters = { from: "name", in: "room", after: "since", before: "until" };
  const words = [];
  for (const part of line.match(/"[^"]*"|\S+/g) ?? []) {
    const [, filter, value] = /^(from|in|after|before):(.+)$/i.exec(part) ?? [];
    if (!filter) words.push(part);
    else request[filters[filter.toLowerCase()]] = value.replace(/^@/, "");
  }
  if (words.length) request.msg = words.join(" ");
  return request;
}

/** `1 user`, `3 users`.
 * @param {number} count @param {string} what */
export const count = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** `512 bytes`, `1.2 MiB`: as in the terminal.
 * @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return count(bytes, "byte");
  let value = bytes / 1024;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  while (value >= 999.5 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[0]}`;
}
