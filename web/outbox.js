// The user's messages that the server has not confirmed. Each is on the disk before it leaves, keeps its id until
// the receipt comes, and goes again over the next connection: the server takes each id once. Pure.

/** The most messages that may wait. */
const MAX_ENTRIES = 1000;

/** The most text that may wait. */
const MAX_LENGTH = 1024 * 1024;

export class Outbox {
  /** @type {Entry[]} */ entries = [];
  /** The ids that the present connection has taken.
   * @type {Set<string>} */ taken = new Set();
  /** The ids that are in memory only, as in a private window.
   * @type {Set<string>} */ loose = new Set();

  /** The time of the last message that was typed. */
  latest = 0;

  /** @param {Disk} disk */
  constructor(disk) {
    this.disk = disk;
  }

  /** Reads what an earlier run of the page left. */
  async load() {
    const left = await this.disk.all().catch(() => []);
    const known = new Set(this.entries.map((entry) => entry.id));
    const fresh = left.filter((entry) => !known.has(entry.id));
    for (const { ts } of left) this.latest = Math.max(this.latest, ts);
    // Those of earlier runs come first.
    this.entries = [...fresh.sort((one, other) => one.ts - other.ts || one.n - other.n), ...this.entries];
    return this.entries;
  }

  /** Adds a message; false if too many wait.
   * @param {Entry} entry */
  async add(entry) {
    const length = this.entries.reduce((sum, other) => sum + other.msg.length, entry.msg.length);
    if (this.entries.length >= MAX_ENTRIES || length > MAX_LENGTH) return false;
    // What was typed later goes later, also in another run, and if the clock has stepped back.
    entry.ts = Math.max(entry.ts, this.latest + 1);
    this.latest = entry.ts;
    await this.disk.put(entry).catch(() => this.loose.add(entry.id));
    this.entries.push(entry);
    return true;
  }

  /** What the present connection has not taken, in order; it is then taken.
   * @param {string} server @returns {Entry[]} */
  take(server) {
    const next = this.entries.filter((entry) => !this.taken.has(entry.id) && entry.server === server);
    for (const entry of next) this.taken.add(entry.id);
    return next;
  }

  /** The connection is lost: everything without a receipt goes again. */
  rewind() {
    this.taken.clear();
  }

  /** The server has answered.
   * @param {string} id @returns {Entry | undefined} */
  done(id) {
    const at = this.entries.findIndex((entry) => entry.id === id);
    if (at < 0) return undefined;
    const [entry] = this.entries.splice(at, 1);
    this.taken.delete(id);
    this.loose.delete(id);
    this.disk.remove(id).catch(() => {});
    return entry;
  }

  /** Messages for another server's users, which leave the outbox; what was typed before the first welcome stays.
   * @param {string} server */
  foreign(server) {
    for (const entry of this.entries) entry.server ||= server;
    const others = this.entries.filter((entry) => entry.server !== server);
    for (const entry of others) this.done(entry.id);
    return others;
  }
}
