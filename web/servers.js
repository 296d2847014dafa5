// The servers of the chat, and which of them the page tries next. All have one key, so the user is the same at each. Pure.

/** The most servers of a chat. */
const MAX_SERVERS = 9;

/** @typedef {{node: string, host: string}} Server  its name in the chat; its host and port, as in an address */

export class Servers {
  /** @type {Server} */ own;
  /** The one that the page is at, or tries. */
  at;
  /** The last one that took the user in. */
  was;
  /** @type {Server[]} */ others = [];
  /** Those that the present round has still to try.
   * @type {Server[]} */ left = [];
  /** How often none of them took the user in, since one did. */
  rounds = 0;
  /** Hosts that have answered.
   * @type {Set<string>} */ met = new Set();
  /** Of the chat's key. */
  id = "";
  /** What the page keeps of it, for a start at a server that takes nobody in.
   * @type {Packet} */ saved = {};

  /** @param {string} host  that the page is from */
  constructor(host) {
    this.own = { node: "", host };
    this.at = this.own;
    this.was = this.own;
  }

  /** All, in the order of a round: the one where the user was comes first.
   * @returns {Server[]} */
  get round() {
    return [this.was, ...shuffled([this.own, ...this.others].filter((server) => server !== this.was))];
  }

  /** @returns {Server} */
  next() {
    if (!this.left.length) this.left = this.round;
    this.at = this.left.shift() ?? this.own;
    return this.at;
  }

  /** The server where the user was is gone: the others are next. */
  gone() {
    [, ...this.left] = this.round;
  }

  /** A server answers; whether it may be one of the chat: another one than the page's own must have its id.
   * @param {string} id */
  meets(id) {
    const isOfChat = this.at === this.own || id === this.id;
    if (isOfChat) this.met.add(this.at.host);
    return isOfChat;
  }

  /** Those that never answered this page. The browser may not know their certificates.
   * @returns {Server[]} */
  get strangers() {
    return this.others.filter(({ host }) => !this.met.has(host));
  }

  /** A server has taken the user in, and says where the others are.
   * @param {Packet} welcome */
  welcome(welcome) {
    const known = servers(welcome.servers);
    this.left = [];
    this.rounds = 0;
    this.id = String(welcome.server?.id ?? "");
    if (this.at === this.own) this.own.node = nodeName(welcome.node);
    // The page is from an address that the servers may not know.
    const others = known.filter(({ node }) => node !== this.own.node);
    this.at = this.at === this.own ? this.own : (others.find(({ host }) => host === this.at.host) ?? this.at);
    this.was = this.at;
    this.others = this.own.node ? others : [];
    this.saved = { node: this.own.node, servers: welcome.servers, server: { id: this.id } };
  }
}

/** @param {any} node */
const nodeName = (node) => (typeof node === "string" && /^[a-z0-9]{1,8}$/.test(node) ? node : "");

/** The valid ones; the policy of the page admits no IPv6 address.
 * @param {any} list @returns {Server[]} */
function servers(list) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const { node, address, port } of Array.isArray(list) ? list.filter(Boolean) : []) {
    const isAddress = typeof address === "string" && /^\d{1,3}(\.\d{1,3}){3}$/.test(address);
    const isPort = Number.isInteger(port) && port > 0 && port < 65536;
    if (nodeName(node) && isAddress && isPort && found.size < MAX_SERVERS) found.set(node, `${address}:${port}`);
  }
  return [...found].map(([node, host]) => ({ node, host }));
}

/** @template T @param {T[]} list */
function shuffled(list) {
  const rest = [...list];
  return list.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0]);
}
