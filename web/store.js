// What the page shows: places, their messages, what is unread, and who is here. Pure: no DOM, no network.

import { Attention } from "./attention.js";
import { LOBBY, corrected, place, placeOf, seq, text } from "./packets.js";
import { mentions } from "./links.js";

/** The most messages of a place to hold; older ones come again from the server. */
const MAX_HELD = 2000;

/** The most places to remember. */
const MAX_SPOTS = 256;

/** The longest draft to remember, in characters: the browser keeps some megabytes of all that there is. */
const MAX_DRAFT = 100_000;

export class Store {
  me = "";
  server = { id: "", name: "", version: "" };
  isOperator = false;
  isAway = false;
  keeps = true;
  total = 0;
  textBytes = 0;
  here = LOBBY;
  /** Whether the user sees the newest messages of the present place. */
  isSeen = false;
  /** @type {Map<string, Spot>} */ spots = new Map();
  /** @type {Person[]} */ people = [];
  /** @type {string | undefined} */ morePeople;
  /** @type {string} */ lastWriter = "";
  counter = 0;
  attention = new Attention();
  /** Called after each change; the view draws once a frame. */
  changed = () => {};

  constructor() {
    this.spot(LOBBY).joined = true;
  }

  /** The place, made if it is new.
   * @param {string} name @returns {Spot} */
  spot(name) {
    const { key, name: shown, isDirect } = place(name);
    let spot = this.spots.get(key);
    if (!spot) {
      if (this.spots.size >= MAX_SPOTS) this.forgetQuietest();
      spot = {
        key, name: shown, isDirect, messages: [], bySeq: new Map(), topic: "", members: 0, here: 0,
        joined: isDirect, isWhole: false, isLoaded: false, unread: 0, forMe: 0, read: 0, last: 0, draft: "",
      };
      this.spots.set(key, spot);
    }
    return spot;
  }

  forgetQuietest() {
    const idle = [...this.spots.values()].find((spot) => spot.isDirect && !spot.unread && spot.key !== this.here);
    if (idle) this.spots.delete(idle.key);
  }

  /** Whether nobody has said anything there, and the user has nothing to say.
   * @param {Spot} spot */
  isEmpty(spot) {
    return spot.isDirect && !spot.last && !spot.draft && !spot.messages.some(({ kind }) => kind === "chat" || kind === "file");
  }

  /** @param {Message} message */
  hides({ kind, from, tag, mine }) {
    return (kind === "chat" || kind === "file") && !mine && this.attention.hides(from, tag);
  }

  /** The messages of a place that the user wants to see.
   * @param {Spot} spot */
  shown(spot) {
    return this.attention.ignored.length ? spot.messages.filter((message) => !this.hides(message)) : spot.messages;
  }

  get current() {
    return this.spot(this.here);
  }

  /** Rooms first, as the sidebar shows them.
   * @returns {Spot[]} */
  get listed() {
    const order = (/** @type {Spot} */ spot) => (spot.key === LOBBY ? 0 : spot.isDirect ? 2 : 1);
    return [...this.spots.values()]
      .filter((spot) => spot.joined)
      .sort((one, other) => order(one) - order(other) || (one.key < other.key ? -1 : 1));
  }

  /** @param {Packet} welcome */
  welcome(welcome) {
    const { server, limits } = welcome;
    this.me = text(welcome.name);
    this.server = { id: text(server?.id), name: text(server?.name), version: text(server?.version) };
    this.total = Number(welcome.total) || 0;
    this.isOperator = welcome.operator === true;
    this.isAway = welcome.away !== undefined;
    this.keeps = typeof welcome.log === "string";
    this.textBytes = Number(limits?.text_bytes) || 0;
    const rooms = Array.isArray(welcome.rooms) ? welcome.rooms : [];
    for (const spot of this.spots.values()) spot.joined = spot.isDirect || spot.key === LOBBY;
    for (const room of rooms) this.room(typeof room === "string" ? { room, joined: true } : { joined: true, ...room });
    for (const read of Array.isArray(welcome.read) ? welcome.read : []) this.readElsewhere(read);
    if (!this.current.joined) this.here = LOBBY;
    this.changed();
  }

  /** What is known about a room.
   * @param {Packet} packet */
  room(packet) {
    const name = text(packet.room) || text(packet.name);
    if (!name) return;
    const spot = this.spot(name);
    spot.name = spot.key === LOBBY ? LOBBY : name;
    spot.topic = text(packet.topic);
    spot.members = Number(packet.members) || 0;
    spot.here = Number(packet.here) || 0;
    if (spot.key !== LOBBY) spot.joined = packet.joined === true;
    if (!spot.joined && this.here === spot.key) this.here = LOBBY;
    this.changed();
  }

  /** Another session has read something.
   * @param {Packet} packet */
  readElsewhere(packet) {
    const at = seq(packet.seq);
    const name = text(packet.room) || (packet.name ? `@${text(packet.name)}` : LOBBY);
    // A room that the user has left has no place in the list.
    if (!at || (!this.spots.has(place(name).key) && name.startsWith("#"))) return;
    const spot = this.spot(name);
    spot.read = Math.max(spot.read, at);
    if (spot.last <= at && spot.unread) this.markRead(spot);
    this.changed();
  }

  /** @param {Spot} spot */
  markRead(spot) {
    spot.unread = 0;
    spot.forMe = 0;
    spot.read = Math.max(spot.read, spot.last);
    this.changed();
  }

  /**
   * Adds a message of the server's.
   * @param {Packet} packet
   * @param {{isPast?: boolean, isMissed?: boolean}} how  asked for by the user; or said while the page was away
   * @returns {Message | undefined}  nothing if it is here already
   */
  chat(packet, { isPast = false, isMissed = false } = {}) {
    const from = text(packet.from?.name);
    const mine = from === this.me;
    const isHidden = !mine && this.attention.hides(from, packet.from?.key);
    // Nor does it begin a conversation.
    if (isHidden && !this.spots.has(placeOf(packet, this.me).key)) return undefined;
    const spot = this.spot(this.nameOf(packet));
    const number = seq(packet.seq);
    const known = number ? spot.bySeq.get(number) : undefined;
    if (known) return undefined;
    const msg = text(packet.msg);
    const forMe = !mine && (spot.isDirect || mentions(msg, this.me));
    const message = this.insert(spot, {
      kind: "chat", seq: number, ts: Date.parse(text(packet.ts)) || Date.now(), from, tag: packet.from?.key, mine,
      text: msg, action: packet.action === true, reply: seq(packet.reply), edited: packet.edited === true, forMe,
      ...(mine && { state: "stored" }),
    });
    if (spot.isDirect && !mine && !isPast && !isHidden) this.lastWriter = spot.name;
    if (isPast) return message;
    if (mine) this.markRead(spot);
    else if (!isHidden && (!isMissed || !(number && number <= spot.read))) this.count(spot, message);
    this.trim(spot);
    return message;
  }

  /** @param {Packet} packet */
  nameOf(packet) {
    const { key, name, isDirect } = placeOf(packet, this.me);
    return isDirect ? key && `@${name}` : name;
  }

  /** Counts a message as unread, unless the user sees it.
   * @param {Spot} spot @param {Message} message */
  count(spot, message) {
    if (spot.key === this.here && this.isSeen) {
      spot.read = Math.max(spot.read, message.seq ?? 0);
      return;
    }
    if (!spot.unread) spot.newFrom = message.major;
    spot.unread += 1;
    if (message.forMe) spot.forMe += 1;
  }

  /**
   * @param {Spot} spot
   * @param {Partial<Message> & {kind: Message["kind"], text: string}} part
   * @returns {Message}
   */
  insert(spot, part) {
    this.counter += 1;
    const settled = spot.messages.filter((message) => message.major !== Infinity);
    const before = settled.length ? settled[settled.length - 1].major : 0;
    const isOwnWay = part.state === "waiting" || part.state === "sent";
    const message = {
      from: "", mine: false, ts: Date.now(), version: 0, ...part, n: this.counter,
      major: part.seq ?? (isOwnWay ? Infinity : before), minor: part.seq ? 0 : this.counter,
    };
    this.place(spot, message);
    // A conversation that the user has closed goes on.
    if (spot.isDirect && (part.kind === "chat" || part.kind === "file")) spot.joined = true;
    this.changed();
    return message;
  }

  /** @param {Spot} spot @param {Message} message */
  place(spot, message) {
    const { messages } = spot;
    let at = messages.length;
    const isBehind = (/** @type {Message} */ other) =>
      other.major > message.major || (other.major === message.major && other.minor > message.minor);
    while (at > 0 && isBehind(messages[at - 1])) at -= 1;
    messages.splice(at, 0, message);
    if (message.seq) {
      spot.bySeq.set(message.seq, message);
      spot.last = Math.max(spot.last, message.seq);
    }
  }

  /** Forgets the oldest messages of a place in which many came.
   * @param {Spot} spot */
  trim(spot) {
    if (spot.messages.length <= MAX_HELD || (spot.key === this.here && !this.isSeen)) return;
    for (const message of spot.messages.splice(0, spot.messages.length - MAX_HELD / 2)) {
      if (message.seq) spot.bySeq.delete(message.seq);
    }
    if (spot.gap && spot.messages[0].major >= spot.gap.before) spot.gap = undefined;
    spot.isWhole = false;
  }

  /** Forgets the messages of a place before that number.
   * @param {Spot} spot @param {number} from */
  cut(spot, from) {
    spot.messages = spot.messages.filter((message) => message.major >= from);
    spot.bySeq = new Map([...spot.bySeq].filter(([number]) => number >= from));
    if (spot.gap && spot.gap.before <= from) spot.gap = undefined;
    spot.isWhole = false;
  }

  /** A message of the user's on its way.
   * @param {Place} to @param {{id: string, msg: string, action?: boolean, reply?: number, ts: number}} entry */
  outgoing(to, entry) {
    const spot = this.spot(to.isDirect ? `@${to.name}` : to.name);
    spot.newFrom = undefined;
    return this.insert(spot, {
      kind: "chat", from: this.me, mine: true, ts: entry.ts, text: entry.msg, action: entry.action, reply: entry.reply,
      id: entry.id, state: "waiting",
    });
  }

  /** @param {string} id @returns {[Spot, Message] | undefined} */
  own(id) {
    for (const spot of this.spots.values()) {
      for (let at = spot.messages.length - 1; at >= 0; at -= 1) {
        const message = spot.messages[at];
        if (message.id === id) return [spot, message];
        if (message.major !== Infinity) break;
      }
    }
    return undefined;
  }

  /** @param {string} id @param {SendState} state */
  mark(id, state) {
    const [, message] = this.own(id) ?? [];
    if (!message) return;
    message.state = state;
    message.version += 1;
    this.changed();
  }

  /** The server has a message of the user's.
   * @param {string} id @param {Packet} receipt */
  sent(id, receipt) {
    const [spot, message] = this.own(id) ?? [];
    if (!spot || !message) return;
    spot.messages.splice(spot.messages.indexOf(message), 1);
    const number = seq(receipt.seq);
    message.id = undefined;
    message.state = receipt.stored === false ? "unstored" : "stored";
    message.version += 1;
    message.ts = Date.parse(text(receipt.ts)) || message.ts;
    if (number && spot.bySeq.has(number)) {
      // It came back over another way, such as the history.
      this.changed();
      return;
    }
    const settled = spot.messages.filter((other) => other.major !== Infinity);
    message.seq = number;
    message.major = number ?? settled[settled.length - 1]?.major ?? 0;
    message.minor = number ? 0 : message.n;
    this.place(spot, message);
    spot.read = Math.max(spot.read, spot.last);
    this.changed();
  }

  /** The server refuses a message of the user's: it leaves the list.
   * @param {string} id */
  refused(id) {
    const [spot, message] = this.own(id) ?? [];
    if (!spot || !message) return undefined;
    spot.messages.splice(spot.messages.indexOf(message), 1);
    this.changed();
    return spot;
  }

  /** A message has another text, or is gone.
   * @param {Packet} packet */
  change(packet) {
    const of = seq(packet.of);
    if (!of) return;
    for (const spot of this.spots.values()) {
      const message = spot.bySeq.get(of);
      if (!message) continue;
      if (packet.type === "deleted") {
        message.deleted = text(packet.from?.name) || "?";
        message.text = "";
      } else {
        message.text = corrected(text(packet.msg));
        message.edited = true;
      }
      message.version += 1;
      this.changed();
    }
  }

  /** Something that the page or the server tells the user, in the present place or another.
   * @param {string} msg @param {Message["kind"]} kind @param {string} [name] */
  note(msg, kind = "note", name = this.here) {
    return this.insert(this.spot(name), { kind, text: msg });
  }

  /** Everybody above that number is from another history.
   * @param {number} common */
  rewind(common) {
    for (const spot of this.spots.values()) {
      spot.messages = spot.messages.filter((message) => message.major <= common || message.major === Infinity);
      spot.bySeq = new Map([...spot.bySeq].filter(([number]) => number <= common));
      if (spot.gap && spot.gap.before > common) this.cut(spot, Infinity);
      spot.last = Math.min(spot.last, common);
      spot.read = Math.min(spot.read, common);
    }
    this.changed();
  }

  /** @param {string} name */
  go(name) {
    const spot = this.spot(name);
    const left = this.current;
    left.newFrom = undefined;
    this.here = spot.key;
    if (left !== spot && this.isEmpty(left)) this.spots.delete(left.key);
    this.changed();
    return spot;
  }

  /** The place with the most urgent unread messages. */
  get next() {
    const others = this.listed.filter((spot) => spot.unread && spot.key !== this.here);
    return others.find((spot) => spot.forMe) ?? others[0];
  }

  get unread() {
    return this.listed.reduce((sum, spot) => sum + spot.unread, 0);
  }

  /** Unread direct messages and mentions, everywhere. */
  get forMe() {
    return [...this.spots.values()].reduce((sum, spot) => sum + spot.forMe, 0);
  }

  /** @param {string} old @param {string} name */
  renamed(old, name) {
    if (old === this.me) this.me = name;
    const spot = this.spots.get(place(`@${old}`).key);
    if (spot) {
      const { key } = place(`@${name}`);
      this.spots.delete(spot.key);
      if (this.here === spot.key) this.here = key;
      spot.key = key;
      spot.name = name;
      if (!this.spots.has(key)) this.spots.set(key, spot);
    }
    for (const person of this.people) if (person.name === old) person.name = name;
    this.changed();
  }

  /** What a later run of the page needs. */
  get saved() {
    const isWorth = (/** @type {Spot} */ spot) => (spot.isDirect ? !this.isEmpty(spot) : spot.unread || spot.read || spot.draft);
    const kept = [...this.spots.values()].filter((spot) => spot.joined && isWorth(spot));
    return {
      here: this.here,
      spots: kept.map(({ name, isDirect, unread, forMe, newFrom, read, last, draft }) => (
        { name: isDirect ? `@${name}` : name, unread, forMe, newFrom, read, last, draft: draft.slice(0, MAX_DRAFT) })),
    };
  }

  /** Whether a draft is too long to be kept. */
  get isOverfull() {
    return [...this.spots.values()].some(({ draft }) => draft.length > MAX_DRAFT);
  }

  /** @param {any} saved */
  restore(saved) {
    for (const { name, unread, forMe, newFrom, read, last, draft } of saved?.spots ?? []) {
      Object.assign(this.spot(name), { unread, forMe, newFrom, read, last, draft: draft ?? "" });
    }
    if (this.spots.has(saved?.here)) this.here = saved.here;
  }
}
