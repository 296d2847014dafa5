// What the page shows: places, their messages, what is unread, and who is here. Pure: no DOM, no network.

import { Attention } from "./attention.js";
import { LOBBY, corrected, isMine, place, placeOf, seq, tagOf, text } from "./packets.js";
import { mentions } from "./links.js";

/** The most messages of a place to hold; older ones come again from the server. */
const MAX_HELD = 2000;

/** The messages to hold around those that the user has scrolled back to. */
const MAX_AROUND = 1000;

/** The most earlier names of the user's to remember. */
const MAX_FORMER = 4;

/** The most places to remember. */
const MAX_SPOTS = 256;

/** The longest draft to remember, in characters: the browser keeps some megabytes of all that there is. */
const MAX_DRAFT = 100_000;

export class Store {
  me = "";
  /** Of the user's key.
   * @type {string | undefined} */ tag;
  /** The user's earlier names, each until a time, the latest first.
   * @type {{name: string, until: number}[]} */ former = [];
  server = { id: "", name: "", version: "", node: "" };
  isOperator = false;
  isAway = false;
  keeps = true;
  total = 0;
  textBytes = 0;
  here = LOBBY;
  /** Whether the user sees the newest messages of the present place. */
  isSeen = false;
  /** The first message on the screen, if the user has scrolled back in the present place.
   * @type {Message | undefined} */ top;
  /** Whether the server has said in which rooms the user is. */
  isIn = false;
  /** The highest number that the server has given to anything: what the page notes comes after it. */
  reached = 0;
  /** Texts on their way to the disk, by id: see `saved`.
   * @type {Map<string, {name: string, line: string}>} */ leaving = new Map();
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
    const isIdle = (/** @type {Spot} */ spot) => spot.isDirect && !spot.unread && spot.key !== this.here && !this.holds(spot);
    const idle = [...this.spots.values()].find(isIdle);
    if (idle) this.spots.delete(idle.key);
  }

  /** Whether something that the user has typed is only there.
   * @param {Spot} spot */
  holds(spot) {
    return spot.draft !== "" || spot.about !== undefined || spot.messages.at(-1)?.major === Infinity;
  }

  /** Whether nobody has said anything there, and the user has nothing to say.
   * @param {Spot} spot */
  isEmpty(spot) {
    return spot.isDirect && !spot.last && !spot.draft && !spot.messages.some(({ kind }) => kind === "chat" || kind === "file");
  }

  /** What the user has typed for a place and not sent; the text of an edit is no draft, but is not to be lost either.
   * @param {Spot} spot */
  unsaid({ about, draft }) {
    const edit = about?.what === "edit" && about.text !== about.message.text ? about.text : "";
    return [edit, draft].filter(Boolean).join("\n");
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
    const me = text(welcome.name);
    if (this.me && this.me !== me) this.wasCalled(this.me);
    this.me = me;
    this.tag = tagOf(text(welcome.key));
    this.isIn = true;
    if (typeof welcome.log === "string") this.reached = seq(welcome.seq) ?? 0;
    this.server = { id: text(server?.id), name: text(server?.name), version: text(server?.version), node: text(welcome.node).slice(0, 8) };
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
   * @param {{isPast?: boolean, isMissed?: boolean, there?: Spot}} how  asked for by the user; or said while the page was
   *   away; and where, if the server has said it
   * @returns {Message | undefined}  nothing if it is here already
   */
  chat(packet, { isPast = false, isMissed = false, there } = {}) {
    const from = text(packet.from?.name);
    const mine = isMine(packet, this.me, this.tag);
    const isHidden = !mine && this.attention.hides(from, packet.from?.key);
    if (!there && !mine && !isPast) this.follow(packet);
    // Nor does it begin a conversation.
    if (isHidden && !there && !this.spots.has(this.placeOf(packet).key)) return undefined;
    const spot = there ?? this.spot(this.nameOf(packet));
    if (spot.isDirect && !mine && packet.from?.key && spot.name === from) spot.tag = packet.from.key;
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
    const { name, isDirect } = this.placeOf(packet);
    return isDirect ? `@${name}` : name;
  }

  /** @param {Packet} packet */
  placeOf(packet) {
    return placeOf(packet, this.me, this.tag);
  }

  /** A conversation goes on with someone who has another name since, which only the key tells after a reload.
   * @param {Packet} packet */
  follow(packet) {
    const { name, isDirect } = this.placeOf(packet);
    const tag = packet.from?.key;
    if (!isDirect || !tag || this.spots.has(place(`@${name}`).key)) return;
    const before = [...this.spots.values()].find((spot) => spot.isDirect && spot.tag === tag);
    // Who is still here under that name shares the key, as in two pages of a browser.
    if (before && !this.people.some((person) => person.name === before.name)) this.renamed(before.name, name);
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
    if (part.seq) this.reached = Math.max(this.reached, part.seq);
    const isOwnWay = part.state === "waiting" || part.state === "sent";
    const message = {
      from: "", mine: false, ts: Date.now(), version: 0, ...part, n: this.counter,
      major: part.seq ?? (isOwnWay ? Infinity : this.reached), minor: part.seq ? 0 : this.counter,
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
    if (spot.messages.length <= MAX_HELD) return;
    const at = spot.key === this.here && this.top ? spot.messages.indexOf(this.top) : -1;
    if (at >= 0) {
      this.thin(spot, at);
      return;
    }
    this.drop(spot, 0, spot.messages.length - MAX_HELD / 2);
    if (spot.gap && spot.messages[0].major >= spot.gap.before) spot.gap = undefined;
    spot.isWhole = false;
  }

  /** @param {Spot} spot @param {number} from @param {number} to */
  drop(spot, from, to) {
    for (const message of spot.messages.splice(from, to - from)) if (message.seq) spot.bySeq.delete(message.seq);
  }

  /** Forgets messages of a place whose user has scrolled back, before and behind those around the screen. Behind them, a
   * gap stays.
   * @param {Spot} spot @param {number} at  where the screen begins */
  thin(spot, at) {
    const { messages } = spot;
    if (messages.length <= 2 * MAX_HELD) return;
    const [first, last] = [Math.max(0, at - MAX_AROUND / 2), at + MAX_AROUND];
    const tail = messages.findIndex((message, place) => place >= messages.length - MAX_AROUND && message.seq);
    const near = messages.slice(first, last).filter((message) => message.seq);
    const [before, after] = [messages[tail]?.seq, near.length ? messages[last - 1].major : undefined];
    // Without numbers, the server could not show them again.
    if (this.keeps && before && after !== undefined && tail > last) {
      this.drop(spot, last, tail);
      spot.gap = { after: spot.gap && spot.gap.before > after && spot.gap.after < after ? spot.gap.after : after, before };
    }
    if (first > 0) {
      this.drop(spot, 0, first);
      spot.isWhole = false;
    }
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
    this.reached = Math.max(this.reached, number ?? 0);
    message.seq = number;
    message.major = number ?? this.reached;
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

  /** The user had that name until now.
   * @param {string} old */
  wasCalled(old) {
    this.former = [{ name: old, until: Date.now() }, ...this.former.filter(({ name }) => name !== old)].slice(0, MAX_FORMER);
  }

  /** @param {string} old @param {string} name */
  renamed(old, name) {
    if (old === this.me) {
      this.me = name;
      this.wasCalled(old);
    }
    if (old === this.lastWriter) this.lastWriter = name;
    const spot = this.spots.get(place(`@${old}`).key);
    if (spot) {
      const { key } = place(`@${name}`);
      this.spots.delete(spot.key);
      if (this.here === spot.key) this.here = key;
      const there = this.spots.get(key);
      spot.key = key;
      spot.name = name;
      if (there && there !== spot) this.join(spot, there);
      else this.spots.set(key, spot);
    }
    for (const person of this.people) if (person.name === old) person.name = name;
    this.changed();
  }

  /** One conversation goes on in another that was there already: nothing that the user typed is lost.
   * @param {Spot} from @param {Spot} to */
  join(from, to) {
    to.draft = [to.draft, from.draft].filter(Boolean).join("\n");
    to.about ??= from.about;
    for (const message of from.messages) if (!message.seq || !to.bySeq.has(message.seq)) this.place(to, message);
    to.unread += from.unread;
    to.forMe += from.forMe;
    if (from.unread) to.newFrom = Math.min(from.newFrom ?? Infinity, to.newFrom ?? Infinity);
    to.isWhole = false;
    to.joined = true;
  }

  /** What a later run of the page needs. */
  get saved() {
    // Before the welcome, the page knows the user's rooms only from the last run.
    const isIn = (/** @type {Spot} */ spot) => spot.joined || !this.isIn || this.unsaid(spot) !== "" || spot.key === this.here;
    const isWorth = (/** @type {Spot} */ spot) => (spot.isDirect ? !this.isEmpty(spot) : spot.unread || spot.read || this.unsaid(spot) || spot.key === this.here);
    const kept = [...this.spots.values()].filter((spot) => isIn(spot) && isWorth(spot));
    return {
      here: this.here, former: this.former, lastWriter: this.lastWriter,
      leaving: [...this.leaving].map(([id, { name, line }]) => ({ id, name, line })),
      spots: kept.map((spot) => {
        const { name, isDirect, unread, forMe, newFrom, read, last, tag } = spot;
        return { name: isDirect ? `@${name}` : name, unread, forMe, newFrom, read, last, tag, draft: this.unsaid(spot).slice(0, MAX_DRAFT) };
      }),
    };
  }

  get hasDraft() {
    return [...this.spots.values()].some((spot) => this.unsaid(spot).trim() !== "");
  }

  /** Whether a draft is too long to be kept. */
  get isOverfull() {
    return [...this.spots.values()].some(({ draft }) => draft.length > MAX_DRAFT);
  }

  /** @param {any} saved */
  restore(saved) {
    let newest = 0;
    for (const { name, unread, forMe, newFrom, read, last, draft, tag } of saved?.spots ?? []) {
      const spot = this.spot(name);
      Object.assign(spot, { unread, forMe, newFrom, read, last, tag, draft: draft ?? "" });
      this.reached = Math.max(this.reached, Number(last) || 0);
      if (spot.isDirect && unread && last > newest) [newest, this.lastWriter] = [last, spot.name];
    }
    this.lastWriter = text(saved?.lastWriter) || this.lastWriter;
    if (Array.isArray(saved?.former)) this.former = saved.former.slice(0, MAX_FORMER);
    for (const { id, name, line } of saved?.leaving ?? []) this.leaving.set(text(id), { name: text(name), line: text(line) });
    if (this.spots.has(saved?.here)) this.here = saved.here;
  }
}
