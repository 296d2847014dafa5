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
      this.chosen([...pick.files]);
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

  /** @param {File[]} list @param {Spot} spot */
  offer(list, spot) {
    for (const source of list) {
      const told = (/** @type {Packet} */ refusal) => this.store.note(`${briefName(source.name)} is not offered: ${text(refusal.msg)}`, "failure");
      this.files.offer(spot, source).catch(told);
    }
  }

  /** To one user, a chosen file goes at once. In a room, it is for more people than the user may think of.
   * @param {File[]} list */
  chosen(list) {
    const spot = this.store.current;
    if (spot.isDirect) this.offer(list, spot);
    else this.ask(list, spot);
  }

  /** What is in the clipboard may be there by accident.
   * @param {File[]} list */
  pasted(list) {
    // Browsers call each pasted picture the same.
    const isNameless = (/** @type {File} */ file) => /^image\.\w+$/.test(file.name);
    const named = list.map((file) => (isNameless(file) ? new File([file], file.name.replace("image", `picture ${stamp()}`), { type: file.type }) : file));
    this.ask(named, this.store.current);
  }

  /** @param {File[]} list @param {Spot} spot */
  ask(list, spot) {
    if (!list.length) return;
    const what = list.length === 1 ? `${briefName(list[0].name, 60)} (${size(list[0].size)})` : count(list.length, "file");
    const whom = spot.isDirect ? brief(spot.name, 40) : `everyone in ${brief(spot.name, 40)}`;
    sheets.confirm(`Offer ${what} to ${whom}?`, "Offer", () => this.offer(list, spot));
  }

  /** @param {DragEvent} event */
  dropped({ dataTransfer }) {
    const isFolder = [...(dataTransfer?.items ?? [])].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    if (isFolder) this.store.note("a browser offers no folders; offer its files, or use lanchat send at a terminal", "failure");
    else this.chosen([...(dataTransfer?.files ?? [])]);
  }
}
