// Whom the user does not want to see, and until when notifications are silent: this browser keeps both. Pure.

/** The most ignored users: more than one person gets to know. The oldest entry gives way. */
const MAX_IGNORED = 1000;

/** Until the user ends it; a number, so that it can be kept. */
export const FOREVER = Number.MAX_SAFE_INTEGER;

/** Seconds of each unit.
 * @type {Record<string, number>} */
const UNITS = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** The longest time besides `forever`, in seconds, as in the terminal. */
const LONGEST = 100 * 365 * 86_400;

/** When a time such as `10m` or `1h30m` ends; `undefined`: it is none.
 * @param {string} text @returns {number | undefined} */
export function until(text, now = Date.now()) {
  const all = text.replace(/\s/g, "").toLowerCase();
  if (all === "forever") return FOREVER;
  if (!/^(\d+[wdhms])+$/.test(all)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of all.matchAll(/(\d+)([wdhms])/g)) seconds += Number(count) * UNITS[unit];
  return seconds > 0 && seconds <= LONGEST ? now + seconds * 1000 : undefined;
}

/** @typedef {{name: string, tag?: string, until: number}} Ignored */

/** @param {string} one @param {string} other */
const same = (one, other) => one.toLowerCase() === other.toLowerCase();

export class Attention {
  /** @type {Ignored[]} */ ignored = [];
  silentUntil = 0;

  /** Whether the user does not want to see that sender: by key under any name, and without a key by name.
   * @param {string} from @param {string | undefined} tag */
  hides(from, tag, now = Date.now()) {
    return this.ignored.some((user) => user.until > now && (user.tag ? user.tag === tag : tag === undefined && same(user.name, from)));
  }

  /** @param {Ignored} user */
  ignore(user) {
    const others = this.ignored.filter((known) => (user.tag ? known.tag !== user.tag : known.tag || !same(known.name, user.name)));
    this.ignored = [user, ...others].slice(0, MAX_IGNORED);
  }

  /** Shows all users of that name again; whether there was one.
   * @param {string} name */
  unignore(name) {
    const before = this.ignored.length;
    this.ignored = this.ignored.filter((user) => !same(user.name, name));
    return this.ignored.length < before;
  }

  /** The users who are ignored now, the latest first. */
  listed(now = Date.now()) {
    this.ignored = this.ignored.filter((user) => user.until > now);
    return this.ignored;
  }

  isSilent(now = Date.now()) {
    return this.silentUntil > now;
  }

  get saved() {
    return { ignored: this.ignored, silentUntil: this.silentUntil };
  }

  /** @param {any} saved */
  restore(saved) {
    const users = Array.isArray(saved?.ignored) ? saved.ignored : [];
    this.ignored = users.filter((/** @type {any} */ user) => typeof user?.name === "string" && typeof user.until === "number");
    this.silentUntil = Number(saved?.silentUntil) || 0;
  }
}
