// The conversation with the server: who the user is, what the page missed, requests and their answers, messages on
// their way. It knows no DOM; the link and the disk are passed in.

import { Past } from "./past.js";
import { Ids, LOBBY, TEXT_BYTES, bytes, commands, count, inPage, named, place, seq, target, text } from "./packets.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./outbox.js").Outbox} Outbox */

/** Other incarnations of the history to remember. */
const MAX_LOGS = 32;

/** A message without a receipt shows so after that long. */
const SLOW = 1000;

/** Read positions wait that long, so that a fast reader does not cost a packet for each message. */
const READ_EVERY = 1500;

/** Answers that belong to no list, in the words of the server. */
const TOLD = ["notice", "time", "whois", "users", "rooms", "bans", "operators", "members", "owners", "status"];

export class Session {
  ids = new Ids();
  /** @type {State} */ state = { kind: "down", why: "", retry: 0 };
  name = "";
  token = "";
  /** @type {Point | undefined} */ point;
  /** @type {Packet | undefined} */ hello;
  /** The present welcome, until the history is complete.
   * @type {Packet | undefined} */ arriving;
  /** Whether numbers of live messages are points to resume from. */
  follows = false;
  /** @type {Command[]} */ commands = commands("");
  /** @type {Map<string, {packets: Packet[], resolve: (answer: Answer) => void, reject: (packet: Packet) => void}>} */
  asked = new Map();
  /** Which of the user's texts a request in words came from.
   * @type {Map<string, {spot: Spot, line: string}>} */ typed = new Map();
  /** Where the user typed a message to somewhere else.
   * @type {Map<string, {spot: Spot, line: string}>} */ origins = new Map();
  /** @type {Set<string>} */ reading = new Set();
  /** @type {number | undefined} */ readTimer;
  /** @type {number | undefined} */ peopleTimer;

  /** The place whose people the store has. */
  peopleOf = "";
  /** Whether the user has asked for more people than the first. */
  isLong = false;
  counter = 0;
  hasEntered = false;
  past = new Past(this);

  /** @param {Store} store @param {Outbox} outbox @param {Hooks} hooks */
  constructor(store, outbox, hooks) {
    this.store = store;
    this.outbox = outbox;
    this.hooks = hooks;
    /** @type {Wire | undefined} */ this.link = undefined;
  }

  /** Enters under that name, now or when there is a connection.
   * @param {string} name */
  enter(name) {
    this.name = name;
    this.state = { kind: "entering", why: "", retry: 0 };
    this.link?.connect();
    this.store.changed();
  }

  /** The server expects the first packet.
   * @param {string} [server]  its id */
  up(server) {
    // Another server took the address, and knows nothing of that history.
    if (server && this.store.server.id && server !== this.store.server.id) this.point = undefined;
    const hello = { type: "hello", v: 1, from: { name: this.name }, to: "server", msg: "", mode: "chat", id: this.ids.next() };
    const token = this.token && { token: this.token };
    this.hello = { ...hello, ...token, ...(this.point ?? { since: 0 }) };
    this.state = { kind: "entering", why: "", retry: 0 };
    this.link?.send(this.hello);
    this.store.changed();
  }

  /** @param {string} why @param {number} retry  in seconds; 0: never, because the session has ended
   * @param {Message["kind"]} kind  of what the user is told */
  down(why, retry, kind = "failure") {
    const isOver = retry === 0;
    const was = this.state.kind;
    this.state = { kind: "down", why, retry };
    this.arriving = undefined;
    this.outbox.rewind();
    for (const { id } of this.outbox.entries) this.store.mark(id, "waiting");
    const lost = { type: "error", code: "lost", msg: "not sent: you are not connected at the moment" };
    for (const { reject } of this.asked.values()) reject(lost);
    this.asked.clear();
    for (const { spot, line } of this.typed.values()) this.hooks.giveBack(spot, line);
    this.typed.clear();
    if (isOver ? was !== "down" : was === "up") this.store.note(isOver ? why : `${why}; reconnecting`, kind);
    this.store.changed();
  }

  /** @param {Packet} packet */
  packet(packet) {
    const id = text(packet.id);
    const type = text(packet.type) || "chat";
    if (type !== "error") this.typed.delete(id);
    const asked = this.asked.get(id);
    if (asked) {
      if (packet.history === true) {
        asked.packets.push(packet);
        return;
      }
      this.asked.delete(id);
      if (type === "error") asked.reject(packet);
      else asked.resolve({ packets: asked.packets, end: packet });
      return;
    }
    if (type === "welcome") this.welcome(packet);
    else if (type === "error") this.error(packet, id);
    else if (type === "sent") this.receipt(packet, id);
    else if (type === "history") this.historyEnd(packet);
    else if (["chat", "alert", "edited", "deleted", "delivered"].includes(type)) this.message(packet, type, id);
    else this.event(packet, type);
    this.store.changed();
  }

  /** @param {Packet} welcome */
  welcome(welcome) {
    const { store } = this;
    const before = store.server.id;
    const isOther = before !== "" && before !== text(welcome.server?.id);
    const isBack = this.hasEntered && !isOther;
    this.hasEntered = true;
    this.link?.settle(welcome);
    const { node } = store.server;
    store.welcome(welcome);
    const isElsewhere = isBack && node !== store.server.node && store.server.node !== "";
    if (isOther) this.moved();
    const foreign = this.outbox.foreign(store.server.id);
    for (const { id, to, msg } of foreign) {
      store.refused(id);
      this.hooks.giveBack(store.spot(to === "all" || to.startsWith("#") ? LOBBY : `@${to}`), msg);
    }
    const isRewound = welcome.rewound === true && !isOther;
    if (isRewound) store.rewind(Number(welcome.since) || 0);
    this.name = store.me;
    this.arriving = welcome;
    this.follows = false;
    this.state = { kind: "catching up", why: "", retry: 0 };
    const [, ...motd] = text(welcome.msg).split("\n");
    const here = `${count(store.total, "user")} here`;
    const plain = globalThis.location?.protocol === "http:" ? "; not encrypted" : "";
    const arrival = `connected to ${store.server.name} as ${store.me}; ${here}${plain}`;
    if (isOther) {
      const back = foreign.length ? "; your unsent messages are back in the input" : "";
      store.note(`another server has this address now: ${arrival}${back}`, "failure");
    } else if (isRewound) {
      store.note("connected again, but the server went back to an earlier state: some of what you saw is no longer there", "failure");
    } else store.note(isBack ? `${isElsewhere ? `going on at server ${store.server.node}` : "connected again"}; ${here}` : arrival);
    if (!isBack && motd.length) store.note(motd.join("\n"));
    this.hooks.welcome(isOther);
  }

  /** This is another server than before: nothing that was said is here, and its users are others. */
  moved() {
    const { store } = this;
    store.former = [];
    for (const spot of store.spots.values()) {
      spot.draft = store.unsaid(spot);
      // A room that is not here stays in the list for its draft.
      spot.joined ||= spot.draft !== "";
      spot.messages = spot.messages.filter((message) => message.major === Infinity);
      Object.assign(spot, { about: undefined, refusal: undefined, tag: undefined, bySeq: new Map(), isLoaded: false, isWhole: false, unread: 0, forMe: 0, read: 0, last: 0, gap: undefined });
      if (store.isEmpty(spot) && spot.key !== store.here) store.spots.delete(spot.key);
    }
  }

  /** All that was missed has come.
   * @param {Packet} end */
  historyEnd(end) {
    const welcome = this.arriving;
    if (!welcome) return;
    this.arriving = undefined;
    const reached = Number(end.seq) || 0;
    this.follows = reached >= (Number(welcome.seq) || 0);
    this.point = point(this.point, welcome, reached);
    if (end.gap === true) {
      this.store.note("you missed messages that the server cannot show you: too old, too many, or never stored", "failure");
    }
    this.link?.send({ type: "received", seq: reached });
    this.state = { kind: "up", why: "", retry: 0 };
    this.flush();
    this.askPeople();
    this.learn();
    this.past.older(this.store.current);
  }

  /** Asks which commands there are for the user. */
  learn() {
    this.ask({ type: "help" }).then(({ end }) => {
      this.commands = commands(text(end.msg));
    }, () => {});
  }

  /** @param {Packet} packet @param {string} type @param {string} id */
  message(packet, type, id) {
    const { store } = this;
    const number = seq(packet.seq);
    const isMissed = packet.history === true;
    if (number && this.follows && !isMissed && this.point) this.point.since = Math.max(this.point.since, number);
    if (type === "edited" || type === "deleted") {
      store.change(packet);
      return;
    }
    if (type === "delivered") {
      store.note(text(packet.msg), "note", `@${text(packet.name)}`);
      return;
    }
    if (type === "alert") {
      if (number && store.spot(LOBBY).bySeq.has(number)) return;
      const ts = Date.parse(text(packet.ts)) || Date.now();
      const alert = store.insert(store.spot(LOBBY), {
        kind: "alert", text: text(packet.msg), from: text(packet.by), ts, seq: number, mine: packet.by === store.me, forMe: true,
      });
      store.count(store.spot(LOBBY), alert);
      if (!isMissed && !alert.mine) this.hooks.arrived(store.spot(LOBBY), alert);
      return;
    }
    if (id && this.outbox.done(id)) {
      // Said over a connection that broke before the receipt.
      store.sent(id, packet);
      return;
    }
    const message = store.chat(packet, { isMissed });
    if (message && !isMissed && !message.mine && !store.hides(message)) this.hooks.arrived(store.spot(store.nameOf(packet)), message);
  }

  /** @param {Packet} packet @param {string} id */
  receipt(packet, id) {
    const entry = this.outbox.done(id);
    this.origins.delete(id);
    const number = seq(packet.seq);
    if (number && this.follows && this.point) this.point.since = Math.max(this.point.since, number);
    if (!entry) return;
    const [spot] = this.store.own(id) ?? [];
    this.store.sent(id, packet);
    if (!spot) return;
    if (packet.waits === true) this.tell(spot, `${spot.name} is offline and will get your message later`);
    else if (packet.away !== undefined) {
      this.tell(spot, `${spot.name} is away${packet.away ? `: ${text(packet.away)}` : ""}`);
    }
    if (packet.stored === false) this.store.note(text(packet.msg), "failure", this.full(spot));
  }

  /** Tells the user, unless that is the last thing that was told there.
   * @param {Spot} spot @param {string} msg */
  tell(spot, msg) {
    const told = spot.messages.filter((message) => message.kind === "note");
    if (told[told.length - 1]?.text !== msg) this.store.note(msg, "note", this.full(spot));
  }

  /** @param {Spot} spot */
  full(spot) {
    return spot.isDirect ? `@${spot.name}` : spot.name;
  }

  /** @param {Packet} packet @param {string} id */
  error(packet, id) {
    const msg = text(packet.msg);
    if (this.state.kind === "entering" && (!id || id === this.hello?.id)) {
      this.hooks.refused(packet);
      return;
    }
    const entry = id ? this.outbox.done(id) : undefined;
    if (entry) {
      const spot = this.store.refused(id);
      const origin = this.origins.get(id);
      this.origins.delete(id);
      if (spot) this.unsent(spot, entry, msg, origin);
      return;
    }
    const typed = this.typed.get(id);
    this.typed.delete(id);
    if (typed) this.hooks.giveBack(typed.spot, typed.line);
    this.store.note(inPage(msg), "failure");
  }

  /** A message is not sent: it returns to the input, to a place where nobody has said anything as it was typed.
   * @param {Spot} spot @param {{action?: boolean, msg: string}} entry @param {string} why
   * @param {{spot: Spot, line: string}} [origin] */
  unsent(spot, { action, msg }, why, origin) {
    const { store } = this;
    let [back, line] = [spot, action ? `/me ${msg}` : msg];
    if (origin && spot.key !== store.here && store.isEmpty(spot)) {
      store.spots.delete(spot.key);
      [back, line] = [origin.spot, origin.line];
    }
    this.hooks.giveBack(back, line);
    store.note(`not sent: ${why}`, "failure", this.full(back));
  }

  /** @param {Packet} packet @param {string} type */
  event(packet, type) {
    const { store } = this;
    const msg = text(packet.msg);
    if (type === "bye") {
      if (packet.code !== "shutting_down") this.hooks.ended(packet);
    } else if (type === "joined" || type === "left") {
      this.crowd(packet, type);
    } else if (type === "room") {
      store.room(packet);
      this.askPeople();
      if (packet.joined === false) store.note(`you have left ${text(packet.room)}`);
    } else if (type === "topic") {
      const spot = store.spot(text(packet.room));
      spot.topic = text(packet.topic);
      store.note(msg, "note", spot.name);
    } else if (type === "renamed") {
      store.renamed(text(packet.old), text(packet.name));
      const isMe = store.me === packet.name;
      if (isMe) {
        this.name = store.me;
        this.hooks.renamed(store.me);
      }
      store.note(isMe ? `you are now ${store.me}` : msg);
    } else if (type === "read") store.readElsewhere(packet);
    else if (type === "away") {
      store.isAway = packet.away !== undefined;
      const own = store.people.find(({ name }) => name === store.me);
      if (own) own.away = packet.away;
      store.note(msg);
      this.askPeople();
    } else if (type === "operator") {
      store.isOperator = packet.operator === true;
      this.learn();
      store.note(msg);
    } else if (["offer", "accepted", "ended"].includes(type)) this.hooks.file(packet);
    else if (TOLD.includes(type)) store.note(msg, packet.stored === false ? "failure" : "note");
    else if (msg && type !== "pong" && type !== "go") store.note(msg);
  }

  /** Users arrived or left.
   * @param {Packet} packet @param {string} type */
  crowd(packet, type) {
    const { store } = this;
    const names = Array.isArray(packet.names) ? packet.names.map(text) : [];
    if (!packet.room) store.total = Number(packet.total) || 0;
    // A note for each passer-by would bury what people say: only those the user talks with get one.
    for (const name of names) {
      const spot = store.spots.get(place(`@${name}`).key);
      if (spot && name !== store.me && !packet.room) store.note(`${name} ${type === "joined" ? "is here" : "has left"}`, "note", `@${name}`);
    }
    this.askPeople();
  }

  /** Asks who is here, at most once in a while. */
  askPeople() {
    if (this.peopleTimer !== undefined) return;
    const wait = this.store.total > 200 ? 5000 : 300;
    this.peopleTimer = setTimeout(() => {
      this.peopleTimer = undefined;
      this.people("").catch(() => {});
    }, wait);
  }

  /** The user looks at another place, whose people are not those of the last one. */
  visit() {
    if (this.peopleOf === this.peoplePlace) return;
    Object.assign(this.store, { people: [], morePeople: undefined });
    this.store.changed();
    this.people("").catch(() => this.askPeople());
  }

  /** The place whose people the page shows: around a direct conversation, all. */
  get peoplePlace() {
    return this.store.current.isDirect ? LOBBY : this.store.here;
  }

  /** A page of the people here, or in the present room.
   * @param {string} after */
  async people(after) {
    const { store } = this;
    const asked = this.peoplePlace;
    const spot = store.current;
    const room = asked === LOBBY ? {} : { room: spot.name };
    const { end } = await this.ask({ type: "users", ...room, ...(after && { after }) });
    if (!Array.isArray(end.users)) return;
    if (this.peoplePlace !== asked) {
      // The user has gone elsewhere meanwhile.
      this.askPeople();
      return;
    }
    this.isLong = after !== "";
    this.peopleOf = asked;
    store.people = after ? [...store.people, ...end.users] : end.users;
    store.morePeople = text(end.next) || undefined;
    if (!end.room) store.total = Number(end.total) || 0;
    else spot.here = Number(end.total) || 0;
    store.changed();
  }

  /** Sends a request; the answer is all packets with its id.
   * @param {Packet} request @returns {Promise<Answer>} */
  ask(request) {
    const id = this.ids.next();
    return new Promise((resolve, reject) => {
      this.asked.set(id, { packets: [], resolve, reject });
      if (this.link?.send({ ...request, to: request.to ?? "server", id })) return;
      this.asked.delete(id);
      reject({ type: "error", code: "lost", msg: "not sent: you are not connected at the moment" });
    });
  }

  /** Sends a command in words. If the server refuses it, it returns to the input.
   * @param {string} line */
  command(line) {
    const id = this.ids.next();
    const spot = this.store.current;
    if (this.state.kind === "up" && this.link?.send({ to: "server", msg: line, id })) {
      this.typed.set(id, { spot, line });
    } else {
      this.hooks.giveBack(spot, line);
      this.store.note("not sent: you are not connected at the moment", "failure");
    }
  }

  /**
   * Takes a message from the user. It goes out now or when there is a connection.
   * @param {Place} to
   * @param {string} msg
   * @param {{action?: boolean, reply?: number, origin?: {spot: Spot, line: string}}} how
   */
  async say(to, msg, how) {
    const { store } = this;
    const { action, reply, origin } = how;
    const length = bytes(msg);
    const most = store.textBytes || TEXT_BYTES;
    const spot = store.spot(to.isDirect ? `@${to.name}` : to.name);
    const refuse = (/** @type {string} */ why) => this.unsent(spot, { action, msg }, why, origin);
    if (length > most) return refuse(`the message has ${length} bytes, and the server's limit is ${most}; split it`);
    this.counter += 1;
    const entry = {
      id: this.ids.next(), n: this.counter, server: store.server.id, to: target(to), msg, ts: Date.now(),
      ...(action && { action }), ...(reply && { reply }),
    };
    // Until it is on the disk, the page keeps it with the drafts.
    const from = origin?.spot ?? spot;
    store.leaving.set(entry.id, { name: this.full(from), line: origin?.line ?? (action ? `/me ${msg}` : msg) });
    const isKept = await this.outbox.add(entry);
    store.leaving.delete(entry.id);
    if (!isKept) return refuse("too many messages are waiting");
    if (origin) this.origins.set(entry.id, origin);
    // Only now: what is shown to wait outlives the page.
    store.outgoing(to, entry);
    this.flush();
    return undefined;
  }

  /** Shows what an earlier run of the page left unsent. */
  async recall() {
    const { store } = this;
    const left = [...store.leaving].filter(([id]) => !id.startsWith(this.ids.prefix));
    for (const entry of await this.outbox.load()) {
      const to = entry.to === "all" || entry.to.startsWith("#") ? entry.to : `@${entry.to}`;
      if (!store.own(entry.id)) store.outgoing(place(to), entry);
    }
    // The page closed before the disk had them.
    for (const [id, { name, line }] of left) {
      if (store.leaving.delete(id) && !store.own(id)) this.hooks.giveBack(store.spot(name), line);
    }
    this.flush();
  }

  /** Sends what waits, in order. */
  flush() {
    if (this.state.kind !== "up") return;
    for (const { id, to, msg, action, reply } of this.outbox.take(this.store.server.id)) {
      this.link?.send({ to, msg, id, ...(action && { action }), ...(reply && { reply }) });
      setTimeout(() => {
        if (this.outbox.taken.has(id)) this.store.mark(id, "sent");
      }, SLOW);
    }
  }

  /** The user sees the newest messages here. */
  read() {
    const spot = this.store.current;
    const before = spot.read;
    if (spot.unread || spot.last > before) this.store.markRead(spot);
    if (spot.read > before) this.reading.add(spot.key);
    if (this.reading.size === 0 || this.readTimer !== undefined) return;
    this.readTimer = setTimeout(() => {
      this.readTimer = undefined;
      for (const key of this.reading) {
        const spot = this.store.spots.get(key);
        if (spot && this.state.kind === "up") this.link?.send({ type: "read", to: "server", ...named(spot), seq: spot.read });
      }
      this.reading.clear();
    }, READ_EVERY);
  }

  /** Changes a message of the user's; rejects if the server refuses.
   * @param {number} of @param {string} msg */
  async edit(of, msg) {
    const { end } = await this.ask({ type: "edit", seq: of, msg });
    this.store.change({ type: "edited", of, msg });
    this.note(end);
  }

  /** @param {number} of */
  async delete(of) {
    const { end } = await this.ask({ type: "delete", seq: of });
    this.store.change({ type: "deleted", of, from: { name: this.store.me } });
    this.note(end);
  }

  /** A receipt's number is a point to resume from.
   * @param {Packet} receipt */
  note(receipt) {
    const number = seq(receipt.seq);
    if (number && this.follows && this.point) this.point.since = Math.max(this.point.since, number);
  }
}

/**
 * How far the page has read after a welcome and its history: see "Incarnations" in PROTOCOL.md.
 * @param {Point | undefined} old
 * @param {Packet} welcome
 * @param {number} reached
 * @returns {Point | undefined}
 */
export function point(old, welcome, reached) {
  const log = text(welcome.log);
  if (!log) return undefined;
  /** @type {Map<string, number>} */
  const logs = new Map();
  for (const { log, last } of Array.isArray(welcome.logs) ? welcome.logs : []) {
    if (text(log)) logs.set(log, Math.min(Number(last) || 0, reached));
  }
  if (old && old.log !== log && !logs.has(old.log)) logs.set(old.log, old.since);
  for (const { log, last } of old?.logs ?? []) if (!logs.has(log)) logs.set(log, last);
  logs.delete(log);
  return { since: reached, log, logs: [...logs].slice(0, MAX_LOGS).map(([log, last]) => ({ log, last })) };
}
