// The records on a connection that carries a file: see "Records" in PROTOCOL.md. Pure.

import { Blake3 } from "./blake3.js";

const HEAD = 5;

/** The most data of a record. */
export const STEP = 65_536;

/** The hash of nothing yet. */
export const NO_HASH = "0".repeat(64);

/** @param {string} kind @param {Uint8Array} bytes */
export function record(kind, bytes) {
  const all = new Uint8Array(HEAD + bytes.length);
  all[0] = kind.charCodeAt(0);
  new DataView(all.buffer).setUint32(1, bytes.length);
  all.set(bytes, HEAD);
  return all;
}

/** @param {string} kind @param {object} content */
export const jsonRecord = (kind, content) => record(kind, new TextEncoder().encode(JSON.stringify(content)));

/** The content of a record that is JSON.
 * @param {FileRecord} row @returns {Record<string, any>} */
export function content(row) {
  const read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(row.bytes));
  if (!read || typeof read !== "object") throw new Error("bad_record");
  return read;
}

/** Cuts a stream into records. */
export class Reader {
  held = new Uint8Array(0);

  /**
   * Adds bytes, and takes the whole records out.
   * @param {Uint8Array} bytes
   * @returns {FileRecord[]}
   */
  read(bytes) {
    const all = new Uint8Array(this.held.length + bytes.length);
    all.set(this.held);
    all.set(bytes, this.held.length);
    const view = new DataView(all.buffer);
    const rows = [];
    let at = 0;
    while (all.length - at >= HEAD) {
      const length = view.getUint32(at + 1);
      const kind = String.fromCharCode(all[at]);
      if (length > STEP || !"APFDHEOKX".includes(kind)) throw new Error("bad_record");
      if (all.length - at - HEAD < length) break;
      rows.push({ kind, bytes: all.subarray(at + HEAD, at + HEAD + length) });
      at += HEAD + length;
    }
    this.held = all.slice(at);
    return rows;
  }
}

/** The hash of whole files, with their paths.
 * @param {{path: string[], hash: Uint8Array}[]} files */
export function tree(files) {
  const hasher = new Blake3();
  for (const { path, hash } of files) {
    const name = new TextEncoder().encode(path.join("/"));
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, name.length);
    hasher.update(length).update(name).update(hash);
  }
  return hasher.digest();
}
