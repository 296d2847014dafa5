// The ways in which the user hands files to the page: chosen, dropped and pasted ones.

import { $ } from "./dom.js";
import { count, size, text } from "./packets.js";
import * as sheets from "./sheets.js";
import { brief, briefName } from "./text.js";

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./files.js").Files} Files */

/** The local time in a file's name. */
const stamp = () => {
  const now = new Date();
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
};

export class Offers {
  /** @param {Store} store @param {Files} files */
  constructor(store, files) {
    this.store = store;
    this.files = files;
  }

  listen() {
    const chat = $("chat");
    const pick = $("pick");
    $("attach").onclick = () => pick.click();
    pick.onchange = () => {
      this.offer(pick.files);
      pick.value = "";
    };
    // Text goes where it is dropped.
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") === true;
    const show = (/** @type {boolean} */ isShown) => {
      $("drop").hidden = !isShown;
    };
    chat.ondragover = (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      show(true);
    };
    chat.ondragleave = (/** @type {DragEvent} */ event) => event.relatedTarget === null && show(false);
    chat.ondrop = (/** @type {DragEvent} */ event) => {
      show(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.dropped(event);
    };
  }

  /** @param {Iterable<File> | null | undefined} list */
  offer(list, spot = this.store.current) {
    for (const source of list ?? []) {
      const told = (/** @type {Packet} */ refusal) => this.store.note(`${briefName(source.name)} is not offered: ${text(refusal.msg)}`, "failure");
      this.files.offer(spot, source).catch(told);
    }
  }

  /** What is in the clipboard may be there by accident.
   * @param {File[]} list */
  pasted(list) {
    const spot = this.store.current;
    // Browsers call each pasted picture the same.
    const isNameless = (/** @type {File} */ file) => /^image\.\w+$/.test(file.name);
    const named = list.map((file) => (isNameless(file) ? new File([file], file.name.replace("image", `picture ${stamp()}`), { type: file.type }) : file));
    const what = named.length === 1 ? `${briefName(named[0].name, 60)} (${size(named[0].size)})` : count(named.length, "file");
    sheets.confirm(`Offer ${what} ${spot.isDirect ? "to" : "in"} ${brief(spot.name, 40)}?`, "Offer", () => this.offer(named, spot));
  }

  /** @param {DragEvent} event */
  dropped({ dataTransfer }) {
    const isFolder = [...(dataTransfer?.items ?? [])].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (isFolder) this.store.note("a browser offers no folders; offer its files, or use lanchat send at a terminal", "failure");
    else this.offer(dataTransfer?.files);
  }
}
