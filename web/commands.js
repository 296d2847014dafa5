// What a typed command does: the page's own commands, those about the present place, and all others in the server's
// words. A command that only the terminal has gets a line that says so.

import { FOREVER, until } from "./attention.js";
import { count, elsewhere, firstWord, place, tagOf, text } from "./packets.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./composer.js").Composer} Composer */
/** @typedef {{store: Store, session: Session, composer: Composer, does: Record<string, (rest: string) => void>}} Page */

const BAD_TIME = "invalid duration; use a number and a unit, such as 10m, 2h, 1d or 1w, or forever";

/** @param {number} end */
const till = (end) => (end === FOREVER ? "" : ` until ${new Date(end).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`);

/** Whether a text begins with the number of a line, as at the prompt.
 * @param {string} rest */
const isNumbered = (rest) => /^[+-]?\d[\d.,]*(\s|$)/.test(rest);

/** @param {Page} page @param {string} rest */
function dnd({ store }, rest) {
  const { attention } = store;
  const word = rest.trim().toLowerCase();
  const end = word === "off" ? 0 : ["", "on"].includes(word) ? FOREVER : until(word);
  if (end === undefined) {
    store.note(BAD_TIME, "failure");
    return;
  }
  attention.silentUntil = end;
  store.note(end ? `no notifications${till(end)}; the page still counts messages; to end this: /dnd off` : "notifications are on again");
}

/** What someone said last, who may have left since.
 * @param {Store} store @param {string} name */
function lastOf(store, name) {
  const all = [...store.spots.values()].flatMap(({ messages }) => messages);
  const said = all.filter(({ kind, from, mine }) => (kind === "chat" || kind === "file") && !mine && from.toLowerCase() === name.toLowerCase());
  return said.sort((one, other) => other.ts - one.ts)[0];
}

/** @param {Page} page @param {string} rest */
async function ignore({ store, session }, rest) {
  const { attention } = store;
  const [name, time] = rest.split(/\s+/);
  if (!name) {
    const users = attention.listed().map(({ name, tag, until }) => `${name}${tag ? "" : "?"}${until === FOREVER ? "" : ` (${till(until).trim()})`}`);
    store.note(users.length ? `you ignore ${users.join(", ")}` : "you ignore nobody; to hide a user's messages: /ignore NAME [DURATION]");
    return;
  }
  const end = time ? until(time) : FOREVER;
  const bare = name.replace(/^@/, "");
  if (!end) throw { msg: BAD_TIME };
  if (bare.toLowerCase() === store.me.toLowerCase()) throw { msg: "you cannot ignore yourself" };
  const { user, tag } = await session.ask({ type: "whois", name: bare }).then(
    ({ end: { user } }) => ({ user, tag: tagOf(text(user?.key)) }),
    (/** @type {Packet} */ refusal) => {
      const said = lastOf(store, bare);
      if (refusal.code !== "no_such_user" || !said) throw refusal;
      return { user: { name: said.from }, tag: said.tag };
    },
  );
  attention.ignore({ name: text(user?.name) || bare, tag, until: end });
  const spot = store.spots.get(place(`@${bare}`).key);
  if (spot) store.markRead(spot);
  const how = tag ? "by key, so under any name" : "by name, because no key backs it";
  store.note(`you no longer see messages from ${bare}${till(end)} (${how}); to undo: /unignore ${bare}`);
}

/** @param {Page} page @param {string} rest */
function unignore({ store }, rest) {
  const name = rest.replace(/^@/, "");
  const was = store.attention.unignore(name);
  store.note(was ? `you see messages from ${name} again` : `you do not ignore ${name}; /ignore lists the users whom you ignore`, was ? "note" : "failure");
}

/** @param {Page} page */
async function status({ store, session }) {
  const way = location.protocol === "https:" ? "encrypted" : "not encrypted";
  const server = store.server.node && `server ${store.server.node}, `;
  const is = session.state.kind === "up" ? "connected" : "not connected";
  store.note(`${is}: ${store.server.name} ${store.server.version} at ${server}${session.link?.host ?? location.host}, ${way}; you are ${store.me}; ${count(store.total, "user")} here`);
  if (store.isOperator) store.note(text((await session.ask({ type: "status" })).end.msg));
}

/** @param {Page} page @param {string} rest */
function help({ store, session, does }, rest) {
  const name = rest.replace(/^\//, "").toLowerCase();
  const found = session.commands.find((command) => command.names.includes(name));
  if (!rest) does.help("");
  else if (found) store.note(`/${found.names[0]} ${found.usage}`.trim() + `: ${found.help}`);
  else store.note(elsewhere(name) ?? `this page has no command /${name}; /help lists them`, "failure");
}

/** @type {Record<string, (page: Page, rest: string) => void | Promise<void>>} */
const OWN = { dnd, ignore, unignore, status, help };

/**
 * @param {string} name @param {string} rest @param {string} line @param {Page} page
 */
export function run(name, rest, line, page) {
  const { store, session, composer, does } = page;
  const spot = store.current;
  const [first, after] = firstWord(rest);
  const origin = { spot, line };
  const refuse = (/** @type {string} */ why) => {
    composer.giveBack(spot, line);
    store.note(why, "failure");
  };
  const usage = (/** @type {string} */ text) => refuse(`usage: /${name} ${text}`);
  const [own] = session.commands.filter((command) => command.names.includes(name));
  if (Object.hasOwn(OWN, name)) {
    if (name === "unignore" && !rest) return usage("NAME");
    Promise.resolve()
      .then(() => OWN[name](page, rest))
      .catch((/** @type {Packet} */ refusal) => refuse(text(refusal.msg)));
  } else if (Object.hasOwn(does, name)) does[name](rest);
  else if (name === "query") {
    const there = store.go(first ? (first.startsWith("#") || first.startsWith("@") ? first : `@${first}`) : "#lobby");
    if (after) session.say(there, after, {});
  } else if (name === "msg") {
    if (after) session.say(place(/^[#@]|^all$/i.test(first) ? first : `@${first}`), after, { origin });
    else usage("NAME|#ROOM TEXT");
  } else if (name === "me") {
    if (rest) session.say(spot, rest, { action: true });
    else usage("TEXT");
  } else if (name === "r" || (name === "reply" && !isNumbered(rest))) {
    if (!rest) usage("TEXT");
    else if (!store.lastWriter) refuse("nobody has sent you a message yet; to send one: /msg NAME TEXT");
    else session.say(place(`@${store.lastWriter}`), rest, { origin });
  } else if (name === "edit" && !isNumbered(rest)) {
    composer.editLast();
    if (rest && composer.about) {
      composer.input.value = rest;
      composer.submit();
    }
  } else if (name === "reply" || name === "edit") refuse("messages have no numbers in the page; point at a message, or tap it, and use its button");
  else if (elsewhere(name)) store.note(elsewhere(name) ?? "");
  else if (name.includes("/")) refuse(`there is no command /${name}; to send it as a message, begin it with //`);
  else if (name === "part" && !rest && !spot.isDirect) session.command(`/part ${spot.name}`);
  else if (name === "part" && !rest) {
    spot.joined = false;
    store.go("#lobby");
  } else if ((name === "topic" || name === "users") && !rest.startsWith("#") && !spot.isDirect && spot.key !== "#lobby") {
    session.command(`/${name} ${spot.name} ${rest}`.trim());
  } else session.command(own || !rest ? `/${name} ${rest}`.trim() : line);
  return undefined;
}
