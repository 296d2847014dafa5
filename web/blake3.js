// The hash of files that users send each other: BLAKE3, as its specification has it. Pure.

const IV = new Uint32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const PERMUTED = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
const CHUNK = 1024;
const BLOCK = 64;
const [START, END, PARENT, ROOT] = [1, 2, 4, 8];

/** The words of a block that each of the seven rounds takes. */
const ORDERS = [[...PERMUTED.keys()]];
while (ORDERS.length < 7) ORDERS.push(PERMUTED.map((place) => ORDERS[ORDERS.length - 1][place]));

/** The four words that each step of a round mixes: columns, then diagonals. */
const QUARTERS = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];

const state = new Uint32Array(16);

/**
 * Compresses a block into a chaining value.
 * @param {Uint32Array} cv @param {Uint32Array} words @param {number} counter @param {number} length
 * @param {number} flags
 */
function compress(cv, words, counter, length, flags) {
  const s = state;
  s.set(cv);
  s.set(IV.subarray(0, 4), 8);
  s[12] = counter;
  s[13] = counter / 2 ** 32;
  s[14] = length;
  s[15] = flags;
  for (let round = 0; round < 7; round += 1) {
    const order = ORDERS[round];
    for (let step = 0; step < 8; step += 1) {
      const quarter = QUARTERS[step];
      const a = quarter[0];
      const b = quarter[1];
      const c = quarter[2];
      const d = quarter[3];
      let x = (s[a] + s[b] + words[order[2 * step]]) | 0;
      let w = s[d] ^ x;
      w = (w >>> 16) | (w << 16);
      let z = (s[c] + w) | 0;
      let y = s[b] ^ z;
      y = (y >>> 12) | (y << 20);
      x = (x + y + words[order[2 * step + 1]]) | 0;
      w ^= x;
      w = (w >>> 8) | (w << 24);
      z = (z + w) | 0;
      y ^= z;
      s[a] = x;
      s[b] = (y >>> 7) | (y << 25);
      s[c] = z;
      s[d] = w;
    }
  }
  const out = new Uint32Array(8);
  for (let i = 0; i < 8; i += 1) out[i] = s[i] ^ s[i + 8];
  return out;
}

/** @param {Uint32Array} left @param {Uint32Array} right @param {number} flags */
function parent(left, right, flags) {
  const words = new Uint32Array(16);
  words.set(left);
  words.set(right, 8);
  return compress(IV, words, 0, BLOCK, PARENT | flags);
}

export class Blake3 {
  cv = IV.slice();
  block = new Uint8Array(BLOCK);
  view = new DataView(this.block.buffer);
  words = new Uint32Array(16);
  held = 0;
  /** Blocks of the present chunk that are done. */
  blocks = 0;
  chunks = 0;
  /** The values of whole subtrees on the left.
   * @type {Uint32Array[]} */
  stack = [];

  /** @param {number} flags */
  last(flags) {
    for (let i = 0; i < 16; i += 1) this.words[i] = this.view.getUint32(4 * i, true);
    return compress(this.cv, this.words, this.chunks, this.held, flags | (this.blocks ? 0 : START));
  }

  /** @param {Uint8Array} bytes */
  update(bytes) {
    for (let at = 0; at < bytes.length; ) {
      // A block is done once more comes: only then it is not the last one.
      if (this.held === BLOCK) {
        if (this.blocks === CHUNK / BLOCK - 1) this.endChunk();
        else {
          this.cv = this.last(0);
          this.blocks += 1;
        }
        this.held = 0;
      }
      const more = Math.min(BLOCK - this.held, bytes.length - at);
      this.block.set(bytes.subarray(at, at + more), this.held);
      this.held += more;
      at += more;
    }
    return this;
  }

  endChunk() {
    let value = this.last(END);
    this.chunks += 1;
    for (let total = this.chunks; total % 2 === 0; total /= 2) {
      value = parent(/** @type {Uint32Array} */ (this.stack.pop()), value, 0);
    }
    this.stack.push(value);
    this.cv = IV.slice();
    this.blocks = 0;
  }

  /** The hash so far; more may follow. */
  digest() {
    this.block.fill(0, this.held);
    const isAlone = this.stack.length === 0;
    let value = this.last(END | (isAlone ? ROOT : 0));
    for (let at = this.stack.length - 1; at >= 0; at -= 1) value = parent(this.stack[at], value, at === 0 ? ROOT : 0);
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    value.forEach((word, at) => view.setUint32(4 * at, word, true));
    return bytes;
  }
}

/** @param {Uint8Array} bytes */
export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
