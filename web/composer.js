// The input: texts and commands, suggestions while typing, and what a message is about (a reply, an edit). What the
// user types stays until it is sent, each place has its own draft, and what is refused comes back.

import { $, el } from "./dom.js";
import { TEXT_BYTES, bytes, count, firstWord, readLine } from "./packets.js";
import { brief } from "./text.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./session.js").Session} Session */

/** @typedef {{text: string, help?: string}} Choice */
/** @typedef {{command(name: string, rest: string, line: string): void, edit(message: Message, msg: string): void, offer(files: File[]): void}} Orders */

/** The most suggestions. */
const MAX_CHOICES = 6;

export class Composer {
  key = "";
  /** @type {Choice[]} */ choices = [];
  chosen = 0;

  /** @param {Store} store @param {Session} session @param {Orders} orders */
  constructor(store, session, orders) {
    this.store = store;
    this.session = session;
    this.orders = orders;
    this.input = /** @type {HTMLTextAreaElement} */ ($("text"));
    this.box = /** @type {HTMLElement} */ ($("suggest"));
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("blur", () => this.suggest([]));
    this.input.addEventListener("paste", (event) => this.pasted(event));
    $("compose").onsubmit = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.submit();
    };
    $("unabout").onclick = () => this.drop();
  }

  /** What the text is about: each place has its own. */
  get about() {
    return this.store.current.about;
  }

  set about(about) {
    this.store.current.about = about;
  }

  /** What is in the input stays with the place: as its draft, or as the text of an edit. */
  keep() {
    if (this.about?.what === "edit") this.about.text = this.input.value;
    else this.store.current.draft = this.input.value;
  }

  /** The present place has another draft. */
  draw() {
    const { current } = this.store;
    if (current.key === this.key) return;
    this.key = current.key;
    const { about } = current;
    if (about?.what === "edit") {
      this.input.value = about.text ?? about.message.text;
      this.suggest([]);
      this.grow();
    } else this.set(current.draft);
    this.input.placeholder = `Message ${brief(current.name, 40)}`;
    this.showAbout();
  }

  /** @param {string} text */
  set(text) {
    this.input.value = text;
    this.suggest([]);
    this.grow();
    this.store.current.draft = text;
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
    const { excess } = this;
    const told = excess > 0 ? `${count(excess, "byte")} too long for one message: shorten it, or send it in parts` : "";
    if ($("over").textContent !== told) $("over").textContent = told;
  }

  /** By how many bytes the text is longer than a message may be. */
  get excess() {
    const line = this.input.value;
    const most = this.store.textBytes || TEXT_BYTES;
    // A character has at most three bytes for each of its UTF-16 units.
    if (line.length * 3 <= most) return 0;
    const read = this.about?.what === "edit" ? { text: line } : readLine(line, this.session.commands);
    const said = "text" in read ? read.text : ["msg", "query"].includes(read.command) ? firstWord(read.rest)[1] : read.rest;
    return bytes(said) - most;
  }

  /** Offers pasted files; a text that comes with its picture, as from an office program, stays a text.
   * @param {ClipboardEvent} event */
  pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || (event.clipboardData?.types.includes("text/plain") && files.every((file) => file.type.startsWith("image/")))) return;
    event.preventDefault();
    this.orders.offer(files);
  }

  typed() {
    this.keep();
    this.grow();
    this.suggest(this.find());
  }

  /** A text that was not sent comes back, before what was typed since.
   * @param {Spot} spot @param {string} line */
  giveBack(spot, line) {
    const isHere = spot.key === this.store.here && spot.key === this.key && spot.about?.what !== "edit";
    const since = isHere ? this.input.value : spot.draft;
    const text = since && since !== line ? `${line}\n${since}` : line;
    if (isHere) this.set(text);
    else spot.draft = text;
    // The next command takes the place of one that was refused.
    if (isHere && text === line && line.startsWith("/")) this.input.select();
    this.store.changed();
  }

  /** @param {"reply" | "edit"} what @param {Message} message @param {string} [text]  of the edit */
  take(what, message, text = message.text) {
    const wasEdit = this.about?.what === "edit";
    this.about = { what, message, ...(what === "edit" && { text }) };
    if (what === "edit") this.input.value = text;
    else if (wasEdit) this.set(this.store.current.draft);
    this.showAbout();
    this.grow();
    this.input.focus();
  }

  drop() {
    const wasEdit = this.about?.what === "edit";
    this.about = undefined;
    if (wasEdit) this.set(this.store.current.draft);
    this.showAbout();
    this.input.focus();
  }

  showAbout() {
    const { about } = this;
    $("about-line").hidden = !about;
    if (!about) return;
    const quoted = brief(about.message.text);
    $("about-text").textContent = about.what === "edit" ? `Edit: ${quoted}` : `Reply to ${brief(about.message.from, 32)}: ${quoted}`;
  }

  submit() {
    const line = this.input.value;
    const { about } = this;
    const { current } = this.store;
    // What is too long stays where the user can shorten it.
    if (!line.trim() || this.excess > 0) return;
    if (about?.what === "edit") {
      this.about = undefined;
      this.showAbout();
      this.set(current.draft);
      if (line !== about.message.text) this.orders.edit(about.message, line);
      return;
    }
    const read = readLine(line, this.session.commands);
    this.set("");
    this.about = undefined;
    this.showAbout();
    if ("text" in read) this.session.say(current, read.text, { reply: about?.message.seq });
    else this.orders.command(read.command, read.rest, line);
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    if (event.isComposing) return;
    const { key } = event;
    const isOpen = this.choices.length > 0;
    const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    if (isOpen && step) this.choose(this.chosen + step);
    else if (isOpen && (key === "Tab" || (key === "Enter" && !this.isWhole))) this.complete(this.chosen);
    else if (isOpen && key === "Escape") this.suggest([]);
    else if (key === "Escape" && this.about) this.drop();
    else if (key === "Enter" && !event.shiftKey) this.submit();
    else if (key === "ArrowUp" && !this.input.value && !this.about) this.editLast();
    else return;
    event.preventDefault();
  }

  editLast() {
    const own = this.store.current.messages.filter((message) => message.mine && message.seq && message.kind === "chat" && !message.deleted);
    const last = own[own.length - 1];
    if (last) this.take("edit", last);
    else this.store.note("you have not said anything here that you could edit");
  }

  /** The word before the cursor. */
  get word() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    return /(?:^|\s)(\S*)$/.exec(before)?.[1] ?? "";
  }

  /** Whether what is typed is a suggestion already, so that Enter sends it. */
  get isWhole() {
    return this.choices.some((choice) => choice.text === this.word);
  }

  /** @returns {Choice[]} */
  find() {
    const { word, store, session } = this;
    const sought = word.slice(1).toLowerCase();
    const begins = (/** @type {string} */ name) => name.toLowerCase().startsWith(sought);
    if (word.startsWith("/") && this.input.value.startsWith(word)) {
      const known = session.commands.filter((command) => command.names.some(begins));
      return known.map(({ names, usage, help }) => ({ text: `/${names[0]}`, help: `${usage} ${help}`.trim() }));
    }
    if (word.startsWith("#")) {
      return store.listed.filter((spot) => !spot.isDirect && begins(spot.name.slice(1))).map(({ name }) => ({ text: name }));
    }
    if (!word.startsWith("@")) return [];
    return store.people.filter(({ name }) => begins(name) && name !== store.me).map(({ name }) => ({ text: `@${name}` }));
  }

  /** @param {Choice[]} choices */
  suggest(choices) {
    this.choices = choices.slice(0, MAX_CHOICES);
    this.box.hidden = this.choices.length === 0;
    this.box.replaceChildren(...this.choices.map((choice, at) => el(
      "div",
      { role: "option", id: `choice-${at}`, "aria-selected": "false", onpointerdown: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.complete(at);
      } },
      el("strong", {}, el("bdi", {}, brief(choice.text, 40))), choice.help ? el("span", { className: "dim" }, `  ${choice.help}`) : "",
    )));
    this.choose(0);
  }

  /** @param {number} at */
  choose(at) {
    const { length } = this.choices;
    this.chosen = length ? (at + length) % length : 0;
    [...this.box.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === this.chosen)));
    if (length) this.input.setAttribute("aria-activedescendant", `choice-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} at */
  complete(at) {
    const { input, word } = this;
    const cursor = input.selectionStart;
    const text = `${this.choices[at].text} `;
    input.value = input.value.slice(0, cursor - word.length) + text + input.value.slice(cursor);
    input.selectionStart = input.selectionEnd = cursor - word.length + text.length;
    this.suggest([]);
    this.keep();
  }
}
