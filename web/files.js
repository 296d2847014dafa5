// Files from person to person: what is offered, the connection for each transfer, and what has arrived. The server
// keeps nothing of them; this page holds a received file until the user saves it.

import { Blake3, hex } from "./blake3.js";
import { answer } from "./keys.js";
import { packets, size, target, text } from "./packets.js";
import { NO_HASH, Reader, STEP, content, jsonRecord, record, tree } from "./records.js";

/** @typedef {import("./session.js").Session} Session */

/** The most bytes to take: a browser keeps them in memory or in its own files. */
const MAX_BYTES = 4 * 1024 ** 3;

/** The bytes that may wait in the connection. */
const MAX_WAITING = 1024 * 1024;

/** Signs of life, as often as the protocol asks. */
const ALIVE_EVERY = 10_000;

/** Why a side ends a transfer, in words. */
const WHY = new Map(Object.entries({
  changed: "the file changed while it was sent", no_space: "the receiver's disk is full", cancelled: "it was cancelled",
  bad_hash: "what arrived is not what was sent", too_many_bytes: "more came than was offered",
  too_few_bytes: "less came than was offered", bad_record: "the other side sent something else than a file",
  io: "the file could not be read or written", busy: "too many files are unfinished there",
}));

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Files {
  /** @type {Transfer[]} */ all = [];
  /** Files that the browser was given to save, by their addresses in this page.
   * @type {Set<string>} */ saved = new Set();

  /** @param {Session} session @param {Door} door
   * @param {(url: string, name: string) => void} save  among the browser's downloads */
  constructor(session, door, save) {
    this.save = save;
    this.session = session;
    this.store = session.store;
    this.door = door;
  }

  /** @param {number} offer @param {boolean} isMine */
  find(offer, isMine) {
    return this.all.find((row) => row.offer === offer && row.isMine === isMine && !["done", "over"].includes(row.stage));
  }

  /** Whether a page that closes now loses a file that has arrived, or stops one on its way. */
  holds() {
    return this.all.some((row) => row.stage === "moving" || (row.stage === "done" && row.arrived.some(({ url }) => url && !this.saved.has(url))));
  }

  /** @param {Transfer} row */
  touch(row) {
    row.message.version += 1;
    this.store.changed();
  }

  /** @param {Place} spot @param {Omit<Transfer, "message" | "arrived" | "moved" | "told">} part */
  add(spot, part) {
    const name = spot.isDirect ? `@${spot.name}` : spot.name;
    const from = part.isMine ? this.store.me : part.with;
    const message = this.store.insert(this.store.spot(name), { kind: "file", text: part.name, from, mine: part.isMine });
    const row = { ...part, message, arrived: [], moved: 0, told: "" };
    message.file = row;
    this.all.push(row);
    return row;
  }

  /** Offers a file to the people there.
   * @param {Place} spot @param {File} source */
  async offer(spot, source) {
    const token = new TextEncoder().encode(`${source.name}/${source.size}/${source.lastModified}`);
    const id = hex(new Blake3().update(token).digest()).slice(0, 32);
    const file = { name: source.name, size: source.size, id };
    const { end } = await this.session.ask({ type: "offer", to: target(spot), file });
    const shown = { offer: end.offer, isMine: true, with: spot.name, name: source.name, size: source.size };
    this.add(spot, { ...shown, count: undefined, content: id, stage: "offered", source });
    if (end.name) this.store.note(text(end.msg));
  }

  /** @param {Packet} packet */
  event(packet) {
    if (packet.type === "offer") this.offered(packet);
    else if (packet.type === "accepted") this.accepted(packet);
    else this.ended(packet);
  }

  /** @param {Packet} packet */
  offered(packet) {
    const { file, from } = packet;
    const name = text(file?.name);
    const sender = text(from?.name);
    const again = this.all.find(
      (row) => !row.isMine && row.content === file?.id && row.with === sender && ["cut", "offered"].includes(row.stage),
    );
    if (again) {
      again.offer = packet.offer;
      if (again.stage === "cut") this.accept(again);
      return;
    }
    if (this.find(packet.offer, false)) return;
    const spot = this.store.placeOf(packet);
    const row = this.add(spot, {
      offer: packet.offer, isMine: false, with: sender, name, size: Number.isFinite(file?.size) ? file.size : undefined,
      count: file?.count, content: text(file?.id), stage: "offered",
    });
    row.message.forMe = spot.isDirect;
    row.message.tag = from?.key;
    const there = this.store.spot(spot.isDirect ? `@${spot.name}` : spot.name);
    if (this.store.hides(row.message)) return;
    this.store.count(there, row.message);
    this.session.hooks.arrived(there, row.message);
  }

  /** @param {Transfer} row */
  async accept(row) {
    if ((row.size ?? 0) > MAX_BYTES) {
      this.decline(row, "too_big");
      this.store.note(`${row.name} is too big for a browser (${size(MAX_BYTES)}); take it with the lanchat client`, "failure");
      return;
    }
    row.stage = "asked";
    this.touch(row);
    try {
      this.accepted((await this.session.ask({ type: "accept", offer: row.offer })).end);
    } catch (refusal) {
      if (row.stage === "asked") row.stage = row.arrived.length ? "cut" : "offered";
      this.fail(row, text(/** @type {Packet} */ (refusal).msg));
    }
  }

  /** @param {Transfer} row @param {string} reason */
  async decline(row, reason = "not_wanted") {
    await this.session.ask({ type: "decline", offer: row.offer, reason }).catch(() => {});
    this.end(row, "you declined it");
  }

  /** @param {Transfer} row */
  async cancel(row) {
    await this.session.ask({ type: "cancel", offer: row.offer }).catch(() => {});
    this.end(row, row.isMine ? "you withdrew it" : "you cancelled it");
  }

  /** @param {Transfer} row @param {string} told */
  end(row, told) {
    row.stage = "over";
    row.told = told;
    row.arrived = [];
    row.socket?.close(1000);
    this.touch(row);
  }

  /** @param {Transfer} row @param {string} why */
  fail(row, why) {
    row.told = why;
    this.touch(row);
  }

  /** @param {Packet} packet */
  ended(packet) {
    const { offer, code } = packet;
    for (const isMine of [true, false]) {
      const row = this.find(offer, isMine);
      if (!row) continue;
      const isPart = isMine && packet.name !== undefined && packet.name !== row.with;
      if (code === "received" && isMine) this.done(row);
      else if (code === "cut") {
        row.stage = row.isMine ? "offered" : "cut";
        this.fail(row, "interrupted; it goes on by itself");
        if (!row.isMine) setTimeout(() => row.stage === "cut" && this.session.state.kind === "up" && this.accept(row), 1000);
      } else if (!isPart) this.end(row, text(packet.msg));
    }
  }

  /** The session is lost, and with it all offers; a sender's page offers its files again.
   * Receivers go on with what they have. */
  lost() {
    for (const row of this.all.filter((row) => !["done", "over"].includes(row.stage))) {
      if (row.isMine) {
        row.stage = "offered";
        row.told = "the connection is lost; offered again once you are connected";
      } else {
        row.stage = row.arrived.length ? "cut" : "over";
        row.told = row.stage === "cut" ? "interrupted; it goes on when it is offered again" : "no longer offered";
      }
      row.socket?.close();
      this.touch(row);
    }
  }

  /** Offers again what was not finished before the connection was lost.
   * @param {boolean} isElsewhere  to other users than before: then not */
  async again(isElsewhere) {
    if (isElsewhere) this.all = this.all.filter((row) => row.stage === "done");
    for (const row of this.all.filter((row) => row.isMine && row.source && row.stage === "offered")) {
      const { source } = row;
      const file = { name: row.name, size: row.size, id: row.content };
      const to = row.message.file === row ? row.with : "";
      try {
        const { end } = await this.session.ask({ type: "offer", to, file });
        Object.assign(row, { offer: end.offer, stage: "offered", source, told: "" });
        this.touch(row);
      } catch (refusal) {
        this.end(row, text(/** @type {Packet} */ (refusal).msg));
      }
    }
  }

  /** Both sides may connect.
   * @param {Packet} packet */
  accepted(packet) {
    const row = this.find(packet.offer, packet.send === true);
    if (!row || typeof packet.token !== "string") return;
    row.stage = "moving";
    row.told = "";
    this.touch(row);
    const line = new Transport(packet.token, this.session.name, this.door, (socket) => {
      row.socket = socket;
    });
    const work = row.isMine ? this.send(row, line) : this.receive(row, line);
    work
      .catch((/** @type {Error} */ error) => {
        line.stop(error.message);
        if (row.stage === "moving" && error.message !== "cut") this.fail(row, `failed: ${WHY.get(error.message) ?? error.message}`);
      })
      .finally(() => line.finish());
  }

  /** @param {Transfer} row @param {Transport} line */
  async send(row, line) {
    const { source } = row;
    if (!source) throw new Error("changed");
    await line.ready;
    const have = content(await line.next("A"));
    const hasher = new Blake3();
    const hash = async (/** @type {number} */ from, /** @type {number} */ to) => {
      for (let at = from; at < to; at += STEP) hasher.update(await slice(source, at, Math.min(at + STEP, to)));
    };
    let start = { files: 0, have: 0 };
    if (have.files === 1 && have.have === 0) {
      await hash(0, source.size);
      if (hex(tree([{ path: [source.name], hash: hasher.digest() }])) === have.tree) start = { files: 1, have: 0 };
    } else if (have.files === 0 && have.have > 0 && have.have <= source.size) {
      await hash(0, have.have);
      if (hex(hasher.digest()) === have.hash) start = { files: 0, have: have.have };
    }
    line.send(jsonRecord("P", start));
    if (start.files === 0) {
      line.send(jsonRecord("F", { path: [source.name], size: source.size }));
      const whole = start.have ? hasher : new Blake3();
      for (let at = start.have; at < source.size; at += STEP) {
        const bytes = await slice(source, at, Math.min(at + STEP, source.size));
        whole.update(bytes);
        await line.room();
        line.send(record("D", bytes));
        this.moved(row, at + bytes.length);
      }
      line.send(record("H", whole.digest()));
    }
    line.send(jsonRecord("E", { files: 1, bytes: source.size }));
    const stored = content(await line.next("O"));
    if (stored.bytes !== source.size) throw new Error("bad_record");
    this.done(row);
  }

  /** @param {Transfer} row @param {Transport} line */
  async receive(row, line) {
    await line.ready;
    const whole = row.arrived.filter((file) => file.hash);
    const part = row.arrived.find((file) => !file.hash);
    const have = { files: whole.length, have: part?.size ?? 0 };
    const sums = whole.map(({ path, hash }) => ({ path, hash: hash ?? new Uint8Array(32) }));
    line.send(jsonRecord("A", {
      v: 1, ...have, tree: whole.length ? hex(tree(sums)) : NO_HASH, hash: part ? hex(part.hasher.digest()) : NO_HASH,
    }));
    const start = content(await line.next("P"));
    if (start.files !== have.files || start.have !== have.have) row.arrived = [];
    const total = () => row.arrived.reduce((sum, file) => sum + file.size, 0);
    for (;;) {
      const next = await line.next("FDHE");
      const file = row.arrived[row.arrived.length - 1];
      if (next.kind === "F") {
        const { path, folder } = content(next);
        if (!Array.isArray(path) || !path.every((name) => text(name))) throw new Error("bad_record");
        const goesOn = file && !file.hash && file.path.join("/") === path.join("/");
        if (!goesOn) row.arrived.push({ path, parts: [], hasher: new Blake3(), size: 0, hash: folder ? new Uint8Array(32) : undefined });
      } else if (next.kind === "D") {
        if (!file || file.hash) throw new Error("bad_record");
        // A copy: the browser may keep it in a file of its own.
        file.parts.push(new Blob([next.bytes]));
        file.hasher.update(next.bytes);
        file.size += next.bytes.length;
        this.moved(row, total());
        if (total() > (row.size ?? MAX_BYTES)) throw new Error("too_many_bytes");
        if (file.parts.length % 64 === 0) file.parts = [new Blob(file.parts)];
      } else if (next.kind === "H") {
        if (!file || file.hash || hex(file.hasher.digest()) !== hex(next.bytes)) {
          row.arrived = [];
          throw new Error("bad_hash");
        }
        file.hash = next.bytes.slice();
      } else {
        const { files, bytes } = content(next);
        if (files !== row.arrived.length || bytes !== total()) throw new Error("too_few_bytes");
        // First, because the sender then says that the user has it.
        this.hand(row);
        line.send(jsonRecord("O", { bytes }));
        break;
      }
    }
    this.done(row);
  }

  /** Gives a file that has arrived to the browser to save; of several, browsers take one, so the user saves them.
   * @param {Transfer} row */
  hand(row) {
    for (const file of row.arrived) file.url = URL.createObjectURL(new Blob(file.parts));
    const [{ path, url } = { path: [], url: "" }, ...more] = row.arrived;
    if (!url || more.length) return;
    this.save(url, path[path.length - 1]);
    this.saved.add(url);
  }

  /** The user has saved a file.
   * @param {Transfer} row @param {string} url */
  keep(row, url) {
    this.saved.add(url);
    this.touch(row);
  }

  /** What became of a file that has arrived.
   * @param {Transfer} row */
  told(row) {
    const isSaved = row.arrived.every(({ url }) => !url || this.saved.has(url));
    return `${row.told}; ${isSaved ? "given to your browser to save" : "not saved yet"}`;
  }

  /** @param {Transfer} row @param {number} bytes */
  moved(row, bytes) {
    row.moved = bytes;
    this.touch(row);
  }

  /** @param {Transfer} row */
  done(row) {
    row.stage = "done";
    row.told = row.isMine ? `${row.with} has it` : "received, whole and checked";
    row.moved = row.size ?? row.moved;
    this.touch(row);
    // Of an offer to a room, others may still take theirs.
    if (row.isMine && row.message.file === row && row.with.startsWith("#")) row.stage = "offered";
  }
}

/** @param {File} source @param {number} from @param {number} to */
async function slice(source, from, to) {
  try {
    return new Uint8Array(await source.slice(from, to).arrayBuffer());
  } catch {
    throw new Error("changed");
  }
}

/** The connection for one transfer: the proof, the token, then records both ways. */
class Transport {
  reader = new Reader();
  /** @type {FileRecord[]} */ rows = [];
  wake = () => {};
  why = "";

  /** @param {string} token @param {string} name @param {Door} door @param {(socket: WebSocket) => void} opened */
  constructor(token, name, door, opened) {
    const { ticket } = door;
    const socket = new WebSocket(door.address("/file"), "lanchat-file");
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    opened(socket);
    this.alive = setInterval(() => this.send(record("K", new Uint8Array(0))), ALIVE_EVERY);
    this.isReady = false;
    /** @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      socket.onmessage = async (event) => {
        if (typeof event.data !== "string") {
          this.take(new Uint8Array(event.data));
          return;
        }
        for (const packet of packets(event.data)) {
          if (packet.type === "challenge") {
            socket.send(JSON.stringify(await answer(packet, ticket)));
            const hello = { type: "hello", v: 1, mode: "file", token, from: { name }, to: "server", msg: "" };
            socket.send(`${JSON.stringify(hello)}\n`);
          } else if (packet.type === "go") {
            this.isReady = true;
            resolve();
          } else if (packet.type === "error") reject(new Error(text(packet.msg)));
        }
      };
      socket.onclose = () => {
        this.why ||= "cut";
        reject(new Error(this.why));
        this.wake();
      };
    });
  }

  /** @param {Uint8Array} bytes */
  take(bytes) {
    try {
      this.rows.push(...this.reader.read(bytes));
    } catch {
      this.why = "bad_record";
    }
    this.wake();
  }

  /** The next record that is not a sign of life.
   * @param {string} kinds */
  async next(kinds) {
    for (;;) {
      const row = this.rows.shift();
      if (row?.kind === "X") throw new Error(text(content(row).code) || "cancelled");
      if (row && kinds.includes(row.kind)) return row;
      if (row && row.kind !== "K") throw new Error("bad_record");
      if (!row && this.why) throw new Error(this.why);
      if (!row) {
        await new Promise((resolve) => {
          this.wake = () => resolve(undefined);
        });
      }
    }
  }

  /** Waits until the connection takes more. */
  async room() {
    while (this.socket.bufferedAmount > MAX_WAITING && this.socket.readyState === WebSocket.OPEN) await pause(5);
    const stop = this.rows.find((row) => row.kind === "X");
    if (stop) throw new Error(text(content(stop).code) || "cancelled");
    if (this.why) throw new Error(this.why);
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.isReady && this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  /** Tells the other side why it ends.
   * @param {string} code */
  stop(code) {
    if (WHY.has(code)) this.send(jsonRecord("X", { code, msg: WHY.get(code) }));
  }

  /** Ends once the other side has what was sent last. */
  async finish() {
    for (let tries = 0; this.socket.bufferedAmount > 0 && tries < 400; tries += 1) await pause(5);
    clearInterval(this.alive);
    this.socket.close(1000);
  }
}
