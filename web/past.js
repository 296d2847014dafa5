// Old messages of a place: those before the oldest that is here, and the ones around a message that was found.

import { named, seq, text } from "./packets.js";

/** @typedef {import("./session.js").Session} Session */

/** How many old messages to ask for at a time. */
const PAGE = 50;

/** How many later messages make a found one readable. */
const ENOUGH = 20;

/** The most requests for them. */
const MAX_TRIES = 12;

export class Past {
  /** The places for which old messages are on their way.
   * @type {Map<Spot, Promise<void>>} */
  busy = new Map();

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Asks for older messages of a place.
   * @param {Spot} spot */
  older(spot) {
    if (spot.isWhole) return undefined;
    return this.alone(spot, async () => {
      try {
        const { packets, end } = await this.page(spot, this.oldest(spot), PAGE);
        this.take(packets, spot);
        spot.isWhole = end.more !== true;
        spot.isLoaded = true;
        spot.refusal = undefined;
      } catch (refusal) {
        const { code, msg } = /** @type {Packet} */ (refusal);
        // Nobody there, or nothing kept: there is nothing older to show.
        spot.isWhole = code !== "lost";
        if (spot.isWhole) spot.refusal = text(msg);
      }
    });
  }

  /** Asks for a message and its neighbours. Between them and what is here already, a gap may stay.
   * @param {Spot} spot @param {number} of */
  async around(spot, of) {
    await this.busy.get(spot)?.catch(() => {});
    if (!spot.isLoaded) await this.older(spot);
    await this.alone(spot, async () => {
      // A second gap would be one too many.
      if (spot.gap && !spot.bySeq.has(of)) this.session.store.cut(spot, spot.gap.before);
      const oldest = this.oldest(spot);
      if (!oldest || of >= oldest || spot.bySeq.has(of)) return;
      const { packets, end } = await this.page(spot, of + 1, PAGE);
      this.take(packets, spot);
      spot.isWhole = end.more !== true;
      spot.gap = { after: of, before: oldest };
      await this.fill(spot);
    });
  }

  /** Asks for the messages after the gap's beginning.
   * @param {Spot} spot */
  newer(spot) {
    return this.alone(spot, () => this.fill(spot));
  }

  /** The protocol has no request for what comes after a message, but numbers grow: what lies before a number that is
   * somewhat higher. The step grows where a place is quiet.
   * @param {Spot} spot */
  async fill(spot) {
    let step = PAGE;
    for (let tries = 0; spot.gap && tries < MAX_TRIES; tries += 1) {
      const { gap } = spot;
      const before = Math.min(gap.after + 1 + step, gap.before);
      const { packets, end } = await this.page(spot, before, 2 * PAGE);
      const first = seq(packets[0]?.seq) ?? before;
      if (end.more === true && first > gap.after + 1) {
        // Not all of them came.
        step = Math.max(1, Math.floor(step / 4));
        continue;
      }
      const fresh = packets.filter((packet) => packet.seq > gap.after);
      this.take(packets, spot);
      spot.gap = before < gap.before ? { ...gap, after: before - 1 } : undefined;
      if (fresh.length >= ENOUGH) return;
      step *= 4;
    }
  }

  /** @param {Spot} spot */
  oldest(spot) {
    return spot.messages.find((message) => message.seq)?.seq;
  }

  /** @param {Spot} spot @param {number | undefined} before @param {number} limit */
  page(spot, before, limit) {
    return this.session.ask({ type: "history", ...named(spot), limit, ...(before && { before }) });
  }

  /** The server knows by keys which messages belong there, whatever the names were.
   * @param {Packet[]} packets @param {Spot} there */
  take(packets, there) {
    for (const packet of packets) if (!packet.type || packet.type === "chat") this.session.store.chat(packet, { isPast: true, there });
  }

  /** Does that unless messages of the place are on their way already.
   * @param {Spot} spot @param {() => Promise<void>} work */
  async alone(spot, work) {
    const { session, busy } = this;
    if (busy.has(spot) || session.state.kind !== "up" || !session.store.keeps) return;
    const done = work();
    busy.set(spot, done);
    try {
      await done;
    } finally {
      busy.delete(spot);
      session.store.changed();
    }
  }
}
