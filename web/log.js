// The messages of the present place: a window over them, drawn once a frame, that follows the newest until the user
// scrolls back.

import { $, button, color, day, el, icon, lines, tile, time, who } from "./dom.js";
import { LOBBY, size } from "./packets.js";
import { brief, briefName, safeLine } from "./text.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./files.js").Files} Files */

/** @typedef {{key: string, version: string, make: () => any}} Row */
/**
 * @typedef {object} Does
 * @property {(spot: Spot) => void} older
 * @property {(spot: Spot) => void} newer  in the gap
 * @property {(spot: Spot, seq: number) => void} look  for a message that may not be here
 * @property {(message: Message) => void} reply
 * @property {(message: Message) => void} edit
 * @property {(message: Message) => void} remove
 */

/** The most nodes to show, with the lines between messages. */
const MAX_ROWS = 400;

/** The most messages to show, and how many come at an end. */
const WINDOW = 300;
const STEP = 100;

/** The messages to show while the newest is in sight: several screens, and few enough to draw in a burst. */
const NEWEST = 80;

/** The most messages to ask for while hidden ones fill none of the window: a button brings more. */
const FILLING = 1000;

/** How close to an end the user must be for more to come. */
const NEAR = 600;

/** Messages of a user within that time stand under one name. */
const TOGETHER = 5 * 60 * 1000;

/** @param {number} ts */
const midnight = (ts) => new Date(ts).setHours(0, 0, 0, 0);

export class Log {
  key = "";
  start = 0;
  /** Whether the newest message is in sight, and stays there. */
  follows = true;
  /** How many of the newest messages to show. */
  newest = NEWEST;
  /** @type {Message | undefined} */ top;
  /** The message to lead the user to.
   * @type {Message | undefined} */ goal;
  /** @type {Map<string, {version: string, node: any}>} */ nodes = new Map();
  /** The message that the tools are for.
   * @type {Message | undefined} */
  held;

  /** @param {Store} store @param {Session} session @param {Files} files @param {Does} does */
  constructor(store, session, files, does) {
    this.store = store;
    this.session = session;
    this.files = files;
    this.does = does;
    this.root = /** @type {HTMLElement} */ ($("log"));
    this.tools = /** @type {HTMLElement} */ ($("tools"));
    this.root.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.root.addEventListener("keydown", (event) => this.walk(event));
    for (const type of ["pointerover", "focusin", "click"]) this.root.addEventListener(type, (event) => this.point(event));
    $("main").addEventListener("pointerleave", (/** @type {Event} */ event) => this.point(event));
    $("latest").onclick = () => this.latest();
    // A keyboard on the screen, or a turn of it, changes what is in sight without scrolling.
    new ResizeObserver(() => this.resized()).observe(this.root);
  }

  resized() {
    if (this.follows) this.root.scrollTop = this.root.scrollHeight;
    this.store.changed();
  }

  get messages() {
    return this.store.shown(this.store.current);
  }

  get isAtEnd() {
    return this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < 60;
  }

  latest() {
    this.follows = true;
    this.top = undefined;
    this.store.changed();
  }

  /** Leads the user to a message of the present place.
   * @param {number} seq */
  show(seq) {
    this.goal = this.messages.find((message) => message.seq === seq);
    this.store.changed();
    return this.goal !== undefined;
  }

  scrolled() {
    const { messages } = this;
    const isWhole = this.start + WINDOW >= messages.length;
    // More may have come since it was drawn.
    const follows = this.isAtEnd && (this.follows || isWhole);
    if (follows !== this.follows) this.store.changed();
    this.follows = follows;
    if (!follows) this.top = messages[this.start];
    this.putTools();
    this.extend();
  }

  /** Brings more where the window ends near what the user sees. */
  extend() {
    if (this.follows) return;
    const { scrollTop, scrollHeight, clientHeight } = this.root;
    const isWhole = this.start + WINDOW >= this.messages.length;
    if (scrollTop < NEAR) this.move(-STEP);
    else if (scrollHeight - scrollTop - clientHeight < NEAR && !isWhole) this.move(STEP);
  }

  /** Brings more until what is shown fills the window: what does not scroll has no other way to older messages.
   * @param {Spot} spot */
  fill(spot) {
    const { root, session } = this;
    if (root.scrollHeight > root.clientHeight || !root.clientHeight || !spot.isLoaded) return;
    if (this.start > 0) {
      if (!this.follows || this.newest === WINDOW) return;
      this.newest = Math.min(this.newest + STEP, WINDOW);
      this.store.changed();
    } else if (!spot.isWhole && spot.messages.length < FILLING && session.state.kind === "up") this.does.older(spot);
  }

  /** Moves the window; at its beginning, asks for older messages.
   * @param {number} by */
  move(by) {
    const spot = this.store.current;
    if (by < 0 && this.start === 0) {
      this.does.older(spot);
      return;
    }
    const top = this.messages[Math.max(0, this.start + by)];
    if (top === this.top) return;
    this.top = top;
    this.store.changed();
  }

  draw() {
    const { store, root } = this;
    const spot = store.current;
    const isNew = spot.key !== this.key;
    if (isNew) {
      this.key = spot.key;
      this.follows = true;
      this.newest = NEWEST;
      this.top = undefined;
      this.nodes.clear();
      root.replaceChildren();
      root.setAttribute("aria-label", `Messages in ${safeLine(spot.name)}`);
    }
    const { messages, goal } = this;
    if (goal && messages.includes(goal)) {
      this.follows = false;
      this.top = messages[Math.max(0, messages.indexOf(goal) - STEP)];
    }
    const first = spot.newFrom === undefined ? -1 : messages.findIndex((message) => message.major >= (spot.newFrom ?? 0));
    const known = this.top ? messages.indexOf(this.top) : -1;
    this.start = Math.max(0, this.follows || known < 0 ? messages.length - this.newest : known);
    if (isNew && first >= 0 && first < this.start) this.start = first;
    const anchor = this.follows ? undefined : this.anchor();
    // A screen reader reads what comes, not what the user scrolls to.
    const isQuiet = isNew || !this.follows;
    root.setAttribute("aria-live", isQuiet ? "off" : "polite");
    this.reconcile(this.rows(spot, messages, first));
    if (goal) this.lead(goal);
    else this.settle(isNew, anchor);
    // What fits on the screen has no scrolling that would say so.
    this.follows ||= this.isAtEnd && this.start + WINDOW >= messages.length;
    this.extend();
    this.fill(spot);
    if (this.held && (this.held.deleted || !messages.includes(this.held))) this.point();
    this.putTools();
    if (messages.length < STEP / 2 && !spot.isLoaded && this.session.state.kind === "up") this.does.older(spot);
    $("latest").hidden = this.follows;
  }

  /** Where the first message in sight is.
   * @returns {[any, number] | undefined} */
  anchor() {
    const { scrollTop } = this.root;
    const rows = /** @type {HTMLElement[]} */ ([...this.root.children]);
    const row = rows.find((row) => row.offsetTop + row.offsetHeight > this.root.offsetTop + scrollTop && row.dataset.n);
    if (!row) return undefined;
    return [row.dataset.n, row.offsetTop - scrollTop];
  }

  /** @param {Message} goal */
  lead(goal) {
    this.goal = undefined;
    const node = this.nodes.get(String(goal.n))?.node;
    if (!node) return;
    // Not `scrollIntoView`, which also moves what is around the messages.
    const { root } = this;
    root.scrollTop = node.offsetTop - root.offsetTop - (root.clientHeight - node.offsetHeight) / 2;
    node.focus({ preventScroll: true });
    node.classList.add("found");
  }

  /** @param {boolean} isNew @param {[any, number] | undefined} anchor */
  settle(isNew, anchor) {
    const { root } = this;
    const line = /** @type {HTMLElement | null} */ (root.querySelector(".new"));
    if (isNew && line && line.offsetTop - root.offsetTop < root.scrollHeight - root.clientHeight - 60) {
      root.scrollTop = line.offsetTop - root.offsetTop - 30;
      this.follows = false;
      this.top = this.messages[this.start];
    } else if (this.follows) root.scrollTop = root.scrollHeight;
    else if (anchor) {
      const row = /** @type {HTMLElement | null} */ (root.querySelector(`[data-n="${anchor[0]}"]`));
      if (row) root.scrollTop = row.offsetTop - anchor[1];
    }
  }

  /** @param {Row[]} rows */
  reconcile(rows) {
    const { root, nodes } = this;
    const wanted = new Set(rows.map((row) => row.key));
    for (const [key, { node }] of nodes) {
      if (wanted.has(key)) continue;
      node.remove();
      nodes.delete(key);
    }
    let next = root.firstChild;
    for (const { key, version, make } of rows) {
      const held = nodes.get(key);
      let node = held?.node;
      if (!held || held.version !== version) {
        node = make();
        node.dataset.n = key;
        if (held?.node === next) next = next?.nextSibling ?? null;
        nodes.set(key, { version, node });
      }
      if (held && held.node !== node) held.node.remove();
      if (node === next) next = node.nextSibling;
      else root.insertBefore(node, next);
    }
  }

  /** @param {Spot} spot @param {Message[]} messages @param {number} first  the first unread message @returns {Row[]} */
  rows(spot, messages, first) {
    /** @type {Row[]} */
    const rows = [];
    if (spot.isWhole && this.start === 0) {
      rows.push({ key: "begin", version: spot.refusal ?? "", make: () => el("p", { className: "note row" }, brief(spot.refusal || "This is the beginning.", 300)) });
    }
    if (!spot.isWhole && this.start === 0 && spot.messages.length >= FILLING) {
      rows.push({ key: "older", version: "", make: () => el("div", { className: "gap" }, button("Show older messages", () => this.does.older(spot))) });
    }
    const { gap } = spot;
    let before = messages[this.start - 1];
    for (let at = this.start; at < Math.min(messages.length, this.start + WINDOW); at += 1) {
      const message = messages[at];
      if (gap && before && before.major <= gap.after && message.major > gap.after) {
        rows.push({ key: "gap", version: "", make: () => el("div", { className: "gap" }, button("Show more from here", () => this.does.newer(spot))) });
      }
      const isNewDay = !before || midnight(before.ts) !== midnight(message.ts);
      if (isNewDay) {
        const text = day(message.ts);
        rows.push({ key: `day ${text} ${message.n}`, version: "", make: () => el("div", { className: "day" }, text) });
      }
      const isFirstNew = at === first;
      if (isFirstNew) rows.push({ key: "new", version: "", make: () => el("div", { className: "new" }, "new") });
      const isSame = before?.kind === "chat" && before.from === message.from && message.ts - before.ts < TOGETHER;
      const isFirst = isNewDay || isFirstNew || !isSame || message.reply !== undefined;
      rows.push(this.row(message, isFirst));
      before = message;
    }
    return this.follows ? rows.slice(-MAX_ROWS) : rows.slice(0, MAX_ROWS);
  }

  /** @param {Message} message @param {boolean} isFirst @returns {Row} */
  row(message, isFirst) {
    const isUp = this.session.state.kind === "up";
    const version = `${message.version} ${message.state} ${isFirst} ${message.state === "waiting" && isUp} ${message.reply && this.store.current.isLoaded}`;
    return { key: String(message.n), version, make: () => this.make(message, isFirst, isUp) };
  }

  /** @param {Message} message @param {boolean} isFirst @param {boolean} isUp */
  make(message, isFirst, isUp) {
    const { me } = this.store;
    const { kind, from, tag, ts } = message;
    if (kind === "note" || kind === "failure") {
      return el("div", { className: `note row ${kind}` }, ...lines(message.text, ""));
    }
    if (kind === "alert") {
      return el("div", { className: "alert row", role: "alert" }, "ALERT from ", who(from, ""), ": ", ...lines(message.text, me));
    }
    const names = ["msg", "row", isFirst && "first", message.forMe && !this.store.current.isDirect && "me",
      ["waiting", "sent"].includes(message.state ?? "") && "waiting"];
    const body = el("div", { className: "body" });
    if (isFirst) body.append(el("div", {}, who(from, message.mine ? "" : tag, `who ${color(from)}`), time(ts)));
    else body.append(el("span", { className: "unseen" }, `${safeLine(from)}: `));
    if (message.reply !== undefined) body.append(this.quote(message.reply));
    if (kind === "file") body.append(this.file(message));
    else body.append(...this.said(message, isUp));
    const className = names.filter(Boolean).join(" ");
    return el("div", { className, tabIndex: -1 }, isFirst ? tile(from) : time(ts), body);
  }

  /** @param {Message} message @param {boolean} isUp */
  said(message, isUp) {
    const { deleted, from } = message;
    if (deleted) {
      const by = deleted === from ? "" : ` by ${safeLine(deleted)}`;
      return [el("div", { className: "line dim action" }, `this message was deleted${by}`)];
    }
    const shown = message.action ? `* ${from} ${message.text}` : message.text;
    const rows = lines(shown, message.mine ? "" : this.store.me, message.action ? "line action" : "line");
    const states = { waiting: isUp ? "" : "will be sent when connected", sent: "on its way", stored: "", unstored: "sent, but not stored" };
    const state = message.state ? states[message.state] : "";
    const told = [message.edited && "edited", state].filter(Boolean).join("; ");
    if (told) rows[rows.length - 1].append(" ", el("span", { className: "state" }, `(${told})`));
    return rows;
  }

  /** @param {number} of */
  quote(of) {
    const spot = this.store.current;
    const known = spot.bySeq.get(of);
    const message = known && !this.store.hides(known) ? known : undefined;
    const text = message ? `${message.from}: ${message.deleted ? "this message was deleted" : message.text}` : "an earlier message";
    return button(`↩ ${brief(text)}`, () => this.does.look(spot, of), "quote");
  }

  /** To whom the file is offered.
   * @param {Transfer} row */
  offers(row) {
    const { isDirect, key, name } = this.store.current;
    if (isDirect) return row.isMine ? "offers " : "offers you ";
    return key === LOBBY ? "offers everyone " : `offers ${brief(name, 40)} `;
  }

  /** @param {Message} message */
  file(message) {
    const row = /** @type {Transfer} */ (message.file);
    const { files } = this;
    const what = [row.count !== undefined && `${row.count} files`, row.size !== undefined && size(row.size)].filter(Boolean).join(", ");
    const bdi = el("bdi", {}, briefName(row.name));
    const box = el("div", { className: "file" }, el("div", {}, this.offers(row), el("strong", {}, bdi), what && ` (${what})`));
    const buttons = el("div", { className: "buttons" });
    if (row.stage === "moving") {
      const progress = el("progress", { max: row.size || 1, "aria-label": `progress of ${briefName(row.name)}` });
      // It moves without a new row, which would take the focus.
      const step = () => {
        progress.value = row.moved;
        if (row.stage === "moving" && (progress.isConnected || !progress.value)) requestAnimationFrame(step);
      };
      step();
      box.append(progress);
    }
    if (row.stage === "offered" && !row.isMine) {
      buttons.append(button("Accept", () => files.accept(row), "main"), button("Reject", () => files.decline(row)));
    } else if (["offered", "asked", "moving", "cut"].includes(row.stage)) buttons.append(button("Cancel", () => files.cancel(row)));
    for (const { path, url } of row.stage === "done" ? row.arrived : []) {
      const name = path[path.length - 1];
      if (!url) continue;
      const label = files.saved.has(url) ? "Save again" : "Save";
      const save = el("a", { className: "button", href: url, download: safeLine(name) }, row.arrived.length > 1 ? `${label} ${briefName(name, 40)}` : label);
      save.addEventListener("click", () => setTimeout(() => files.keep(row, url)));
      buttons.append(save);
    }
    const told = row.stage === "done" && !row.isMine ? files.told(row) : row.told || (row.isMine && row.stage === "offered" ? "waiting for an answer" : "");
    if (told) box.append(el("div", { className: "state" }, brief(told, 300)));
    if (buttons.firstChild) box.append(buttons);
    return box;
  }

  /** Shows what the user can do with a message.
   * @param {Event} [event] */
  point(event) {
    const target = /** @type {HTMLElement | undefined} */ (event?.target);
    const node = /** @type {HTMLElement | null | undefined} */ (target?.closest?.(".msg"));
    const message = node && this.messages.find((message) => String(message.n) === node.dataset.n);
    // A finger is nowhere before it touches, and leaves the page before its click.
    if (event?.type.startsWith("pointer") && /** @type {PointerEvent} */ (event).pointerType !== "mouse") return;
    if (message && message === this.held) return;
    // A pointer that rests elsewhere takes nothing from someone with a keyboard.
    const isByKeys = document.activeElement?.closest(".msg, #tools");
    if (!message && isByKeys && event?.type.startsWith("pointer")) return;
    const { tools, does } = this;
    // Tools that go, or become another message's, leave the focus at theirs.
    if (tools.contains(document.activeElement)) this.nodes.get(String(this.held?.n))?.node.focus({ preventScroll: true });
    this.held = message || undefined;
    tools.hidden = !node || !message?.seq || message.kind !== "chat" || message.deleted !== undefined;
    if (tools.hidden || !node || !message) return;
    const action = (/** @type {string} */ name, /** @type {string} */ label, /** @type {(message: Message) => void} */ run) => {
      const onclick = () => {
        this.point();
        run(message);
      };
      return el("button", { type: "button", className: "icon", title: label, "aria-label": label, onclick }, icon(name));
    };
    const mayDelete = message.mine || (this.store.isOperator && !this.store.current.isDirect);
    tools.replaceChildren(
      action("reply", "Reply", does.reply),
      ...(message.mine ? [action("edit", "Edit", does.edit)] : []),
      ...(mayDelete ? [action("delete", "Delete", does.remove)] : []),
    );
    this.putTools();
  }

  /** Keeps the tools at their message. */
  putTools() {
    const row = this.held && this.nodes.get(String(this.held.n))?.node.getBoundingClientRect();
    if (this.tools.hidden || !row) return;
    const main = this.root.getBoundingClientRect();
    if (row.bottom < main.top || row.top > main.bottom) this.point();
    else this.tools.style.top = `${Math.max(row.top - main.top - 24, 4) + this.root.offsetTop}px`;
  }

  /** Arrows go from message to message.
   * @param {KeyboardEvent} event */
  walk(event) {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const rows = /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll(".msg")]);
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const next = at < 0 ? rows[rows.length - 1] : rows[at + (event.key === "ArrowUp" ? -1 : 1)];
    next?.focus();
    event.preventDefault();
  }
}
