// Makes remote text safe to show: the rules of src/text/clean.rs and src/text/bidi.rs, character by character. Pure.
//
// What could reorder or hide text becomes U+FFFD, so readers see that something was there. The browser keeps tabs.

// Code points that src/text treats alike: gaps and lengths of ranges in base 36. A test in src/text/tests/page.rs writes
// them (LANCHAT_RENEW=1) and fails if they differ.
// <tables>
/** @type {Record<string, string>} */
const TABLES = {
  unsafe:
    "0 w 2n x 688 2 1n 1 4 6 3ck 1 yhn 4xs 1b4 1 2g 3 i9dw w 1ejk 2t4w",
  unseen:
    "4t 1 4m8 1 1ks 1 2c 5 17yy 1 15kj 8",
  narrow:
    "4t 1 gi 34 7n 7 7b 19 1 1 1 2 1 2 1 3 1n 1 a b 1 1 1a l g 1 2t 7 2 6 2 2 1 4 x 1 1 1 u r 2j b 1m 9 9 1 o 4 1 9 " +
    "1 3 1 5 17 3 1g 2 5 9 16 1l 1j 1 1 1 4 8 4 1 3 7 a 2 t 1 1m 1 1 1 2 4 8 1 9 1 a 2 q 1 2 2 1l 1 4 2 4 2 2 3 3 1 " +
    "u 2 3 1 b 2 1l 1 4 5 1 2 4 1 k 2 m 6 1 1 1m 1 1 2 1 4 8 1 5 5 a 2 u 1 1n 1 1 1 c 1 9 1 14 1 3 1 1j 1 1 3 5 3 1 " +
    "4 7 2 b 2 t 1 1m 1 2 2 1 1 3 3 1 4 7 2 b 2 s 2 1l 2 1 1 2 4 8 2 8 1 a 2 t 1 20 1 4 1 2 3 1 1 8 1 29 1 2 7 c 8 " +
    "2q 1 2 9 b 7 21 2 r 1 1 1 1 1 1j e 1 5 1 2 5 b 1 10 9 1 2u 4 1 6 1 2 2 2 p 2 4 3 g 4 d 1 2 2 6 1 f 1 5e 4g 9p 3 " +
    "qa 4 s 3 t 2 u 2 1s 2 1 7 8 1 2 b 9 1 19 5 39 2 y 1 3a 3 4 2 9 1 6 3 63 2 2 1 1m 1 1 7 1 1 1 1 2 8 6 a 2 1 1c " +
    "1t f 4 1c a 4 3 12 9 c 2 w 4 2 6 1k 1 1 2 3 1 1 5 1k 8 2 2 48 3 1 d 1 7 4 1 6 1 3 2 5i 1s ej 5 q 5 1d g 2o x " +
    "2da 3 6m w fe 6 2x 2 5l 1 n4a 4 1 a w 2 28 2 7k 1 3 1 4 1 p 2 5 1 47 2 q i 8 1 4 1 12 8 p b 1 1 18 3 1c 1 2 4 2 " +
    "2 2 1 10 1 1v 6 2 2 2 2 c 1 8 1 1b 1 1f 1 1 3 2 2 5 2 1 1 16 2 8 1 6m 1 2 1 4 1 8n6 n 4 1d 6xu 1 kh g g g 5r 1 " +
    "4g 1 27 9 ec 1 6a 1 45 5 1ae 3 1 2 5 4 14 3 4 1 4l 2 fx 4 1t 5 8t 2 u 5 w g 1y b 1d 4 3f 1 1i f 15 1 2 2 a 3 1d " +
    "4 2 2 7 1 1p 3 10 5 1 8 1q 1 c 2 1g 9 1 1 1 2 5 4 2 1 2n 3 2 4 6 1 2 1 4d 1 3 8 l 2 1l 2 1 1 1 1 c 1 9 1 e 7 3 " +
    "5 1v 1 2 6 1 1 2 1 1 3 4 5 e 2 2d 8 2 3 1 1 n 1 29 1 2 6 1 1 2 1 1 2 1 2 6j 1 2 4 6 2 1 2 r 2 2d 8 2 1 1 2 2y 1 " +
    "1 1 2 8 2t 1 1 1 2 4 1 5 77 9 1 2 6t 1 a 5 1 1 1 1 40 4 2 2 4 1 w a 14 6 2 4 8 1 9 6 2 3 14 j 1 2 5i 1 1 3 1 1 " +
    "5l 7 1 6 1 1 2a m 2 7 1 2 1 2 3e 6 3 1 1 2 1 9 20 2 3 1 1 1 2g 1 76 2 b 3 1f 5 5 3 n 1 44l 1 6 f 8ug c 3 3 1xc " +
    "5 1n 7 t4 1 1r 4 29 1 b 2 f57 2 1 4 3mk 1a 2 n dc 2 1o 5 3 m 2 7 u 4 44 3 b 3 8 2 2 1 w 2 1ha 1j 4 1e 8 1 e 1 m " +
    "5 1 f 11s 7 1 h 2 7 1 2 1 5 2s 1 4g 7 af 1 1p 4 e4 4 72 2 6r 1 2 1 7 2 5 1 d6 7 31 7 gzat 35s",
};
// </tables>

const MAX_MARKS = 4;
const MAX_JOINS = 8;
const MAX_UNSEEN = 4;
const MAX_DEPTH = 8;
const REPLACEMENT = 0xfffd;
const ZWNJ = 0x200c;
const ZWJ = 0x200d;
const BLACK_FLAG = 0x1f3f4;
const CANCEL_TAG = 0xe007f;

/** @param {string} table @returns {(c: number | undefined) => boolean} */
function set(table) {
  const ends = new Uint32Array(table ? table.split(" ").length : 0);
  let end = 0;
  table.split(" ").forEach((step, place) => {
    end += parseInt(step, 36);
    ends[place] = end;
  });
  return (c) => {
    if (c === undefined) return false;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= c) low = middle + 1;
      else high = middle;
    }
    return low % 2 === 1;
  };
}

const isUnsafe = set(TABLES.unsafe);
const isUnseen = set(TABLES.unseen);
const hasNoWidth = set(TABLES.narrow);

/** Scripts whose words do not change with a joiner between their letters.
 * @param {number | undefined} c */
const joins = (c) =>
  c !== undefined &&
  !/[\p{sc=Armn}\p{sc=Bopo}\p{sc=Zyyy}\p{sc=Cyrl}\p{sc=Geor}\p{sc=Grek}\p{sc=Hani}\p{sc=Hang}\p{sc=Hebr}\p{sc=Hira}\p{sc=Zinh}\p{sc=Kana}\p{sc=Laoo}\p{sc=Latn}\p{sc=Thai}\p{Cn}]/u.test(
    String.fromCodePoint(c),
  );

/** @param {number} c */
const isInherited = (c) => /\p{sc=Zinh}/u.test(String.fromCodePoint(c));

/** @param {number | undefined} c */
const isTag = (c) => c !== undefined && c >= 0xe0020 && c <= 0xe007f;

/** @param {number | undefined} c */
const isMark = (c) => c === 0x200e || c === 0x200f || c === 0x61c;

/** @param {number | undefined} c */
const hasWidth = (c) => c !== undefined && c >= 32 && !(c >= 0x7f && c < 0xa0) && !hasNoWidth(c);

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter("en", { granularity: "grapheme" }) : undefined;

/** How much of a text to cut into clusters at a time: the time of a browser grows with the square of it. */
const PIECE = 256;

/** What people see as one character.
 * @param {string} text @returns {number[][]} */
function clusters(text) {
  /** @type {string[]} */
  const all = [];
  let size = PIECE;
  for (let at = 0; at < text.length;) {
    const isPair = /[\ud800-\udbff]/.test(text[at + size - 1] ?? "");
    const piece = segmenter ? text.slice(at, at + size + (isPair ? 1 : 0)) : text;
    const found = segmenter ? [...segmenter.segment(piece)].map((part) => part.segment) : [text];
    // The last one may go on behind the piece.
    if (at + piece.length < text.length) found.pop();
    for (const part of found) {
      all.push(part);
      at += part.length;
    }
    size = found.length ? PIECE : 2 * size;
  }
  return all.map((part) => [...part].map((c) => c.codePointAt(0) ?? REPLACEMENT));
}

/** The length of a region's flag, such as Scotland's, at the start of a cluster.
 * @param {number[]} cluster */
function regionFlag(cluster) {
  const end = cluster[0] === BLACK_FLAG ? cluster.indexOf(CANCEL_TAG) : -1;
  const region = cluster.slice(1, Math.max(end, 1));
  const isRegion = region.every((c) => (c >= 0xe0030 && c <= 0xe0039) || (c >= 0xe0061 && c <= 0xe007a));
  return isRegion && region.length >= 3 && region.length <= 6 ? end + 1 : 0;
}

/** The safe line so far. */
class Line {
  /** @type {number[]} */ safe = [];
  /** @type {("embedding" | "isolate" | "override")[]} */ open = [];
  beyond = 0;
  marks = 0;
  joints = 0;
  unseen = 0;
  inTags = false;
  /** @type {number | undefined} */ letter;

  /** @param {number[]} cluster */
  addCluster(cluster) {
    const flag = regionFlag(cluster);
    if (flag) {
      this.safe.push(...cluster.slice(0, flag));
      this.endRow();
      this.inTags = false;
    }
    let before = flag ? cluster[flag - 1] : undefined;
    this.joints = 0;
    for (let at = flag; at < cluster.length; at += 1) {
      const length = this.safe.length;
      this.add(cluster[at], before, cluster[at + 1]);
      const last = this.safe[this.safe.length - 1];
      // A joiner joins nothing to a character that did not stay.
      if (this.safe.length > length) before = last === cluster[at] ? last : undefined;
    }
  }

  /** @param {number} c @param {number | undefined} before @param {number | undefined} next */
  add(c, before, next) {
    const wasInTags = this.inTags;
    this.inTags = isTag(c);
    if (isUnseen(c)) {
      this.unseen += 1;
      if (this.unseen === MAX_UNSEEN + 1) this.safe.push(REPLACEMENT);
      return;
    }
    this.unseen = 0;
    if (c === 9) {
      this.endRow();
      this.safe.push(c);
    } else if (c === 10) this.push(32);
    else if (isUnsafe(c)) this.push(REPLACEMENT);
    else if (isTag(c)) {
      if (!wasInTags) this.push(REPLACEMENT);
    } else if (c === ZWNJ || c === ZWJ) this.join(c, before, next);
    else if (c === 0x115f) this.push(next && next >= 0x1161 && next <= 0x11a7 ? c : REPLACEMENT);
    else if (c === 0x1160) this.push(before && before >= 0x1100 && before <= 0x115e ? c : REPLACEMENT);
    else if (!this.turn(c)) this.visible(c);
  }

  /** Judges a character that changes the direction of text; false if it does not.
   * @param {number} c */
  turn(c) {
    if (isMark(c)) {
      // One of them does what many do.
      if (!isMark(this.safe[this.safe.length - 1])) this.safe.push(c);
      return true;
    }
    if (c === 0x202c || c === 0x2069) {
      this.close(c);
      return true;
    }
    const isOverride = c === 0x202d || c === 0x202e;
    const isIsolate = c >= 0x2066 && c <= 0x2068;
    if (!isOverride && !isIsolate && c !== 0x202a && c !== 0x202b) return false;
    const isDeep = this.open.length >= MAX_DEPTH;
    if (isDeep) this.beyond += 1;
    else this.open.push(isOverride ? "override" : isIsolate ? "isolate" : "embedding");
    if (isOverride) this.push(REPLACEMENT);
    else if (!isDeep) this.safe.push(c);
    return true;
  }

  /** Ends an embedding or an isolate.
   * @param {number} c */
  close(c) {
    if (this.beyond > 0) {
      this.beyond -= 1;
      return;
    }
    const last = this.open[this.open.length - 1];
    const at = c === 0x2069 ? this.open.lastIndexOf("isolate") : this.open.length - 1;
    if (at < 0 || (c === 0x202c && last === "isolate")) return;
    this.open.length = at;
    if (c === 0x2069 || last === "embedding") this.safe.push(c);
  }

  /** @param {number} c */
  visible(c) {
    if (!hasNoWidth(c)) this.push(c);
    else {
      this.marks += 1;
      if (this.marks <= MAX_MARKS) this.safe.push(c);
    }
  }

  /** @param {number} c */
  push(c) {
    this.endRow();
    if (!isInherited(c)) this.letter = c;
    this.safe.push(c);
  }

  endRow() {
    this.marks = 0;
    this.letter = undefined;
  }

  /** Adds a joiner where it changes what people see.
   * @param {number} c @param {number | undefined} before
   * @param {number | undefined} next */
  join(c, before, next) {
    const isBetween = c === ZWJ && before !== undefined && hasWidth(next);
    const isPicture = isBetween && !/\p{Alphabetic}/u.test(String.fromCodePoint(next ?? 0));
    const connects = joins(this.letter);
    if (isPicture) this.joints += 1;
    const stays = isPicture ? this.joints <= MAX_JOINS : connects && (c === ZWJ || !hasWidth(next) || joins(next));
    if (stays) this.visible(c);
  }

  finish() {
    const ends = this.open.reverse().flatMap((opened) => (opened === "override" ? [] : opened === "isolate" ? 0x2069 : 0x202c));
    let text = "";
    for (const c of [...this.safe, ...ends]) text += String.fromCodePoint(c);
    return text;
  }
}

/** Makes a text one line that cannot reorder or hide its surroundings.
 * @param {string} text */
export function safeLine(text) {
  if (/^[ -~]*$/.test(text)) return text;
  const line = new Line();
  // A lone half of a character must not reach the page either.
  for (const cluster of clusters(text.replace(/\p{Cs}/gu, "\ufffd"))) line.addCluster(cluster);
  return line.finish();
}

/** A text without these characters at its end. A regular expression would begin anew at each run of them.
 * @param {string} text @param {string} ends */
function without(text, ends) {
  let end = text.length;
  while (end > 0 && ends.includes(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/** The lines of a text, each safe; at least one.
 * @param {string} text */
export const safeLines = (text) => without(text, "\n\r").split("\n").map((line) => safeLine(without(line, "\r")));

/** A text that stands within a line of the page.
 * @param {string} text */
export function brief(text, most = 120) {
  const all = [...text];
  return all.length > most ? `${safeLine(all.slice(0, most).join(""))}…` : safeLine(text);
}

/** A file's name that stands within a line: its ending stays in sight.
 * @param {string} name */
export function briefName(name, most = 120) {
  const all = [...name];
  const half = Math.floor(most / 2);
  return all.length > most ? safeLine(`${all.slice(0, half).join("")}…${all.slice(-half).join("")}`) : safeLine(name);
}
