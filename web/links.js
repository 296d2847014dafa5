// Finds links and mentions in a line that `text.js` has made safe. Pure.
//
// A link is exactly what is shown, and leads to a web page: the same rules as in the terminal.

/** The longest link in bytes: many servers refuse longer ones. */
const MAX_LINK = 2048;

/** The most links of a line, with those that turn out to be none. */
const MAX_LINKS = 20;

/** End a sentence rather than a link. */
const SENTENCE = ".,;:!?'";

/** Hides where a link leads. */
const UNSEEN = /[\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0\ufe00-\ufe0f]/u;

/** A link without what belongs to the sentence around it. One pass: others choose these texts.
 * @param {string} found */
function trimmed(found) {
  /** How many more brackets close than open.
   * @type {Record<string, number>} */
  const extra = { ")": 0, "]": 0 };
  for (const c of found) {
    if (c === "(" || c === "[") extra[c === "(" ? ")" : "]"] -= 1;
    else if (c === ")" || c === "]") extra[c] += 1;
  }
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found[end - 1];
    if ((last === ")" || last === "]") && extra[last] > 0) extra[last] -= 1;
    else if (!SENTENCE.includes(last)) break;
  }
  return found.slice(0, end);
}

/** @param {string} link */
function isWeb(link) {
  if (link.length > MAX_LINK || UNSEEN.test(link)) return false;
  try {
    const url = new URL(link);
    return ["http:", "https:"].includes(url.protocol) && url.hostname !== "";
  } catch {
    return false;
  }
}

/** Case, accents and forms make no difference.
 * @param {string} text */
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Whether a word goes on with these characters.
 * @param {string} rest */
const goesOn = (rest) => /^(-[\p{L}\p{N}_]|[\p{L}\p{N}_])/u.test(rest);

/** The places of a whole word in a text, or of any part.
 * @param {string} text @param {string} word @returns {[number, number][]} */
export function wholeWords(text, word, isPart = false) {
  const sought = fold(word);
  if (!sought || !fold(text).includes(sought)) return [];
  let folded = "";
  /** @type {number[]} */
  const starts = [];
  let at = 0;
  for (const c of text) {
    const part = fold(c);
    for (let i = 0; i < part.length; i += 1) starts.push(at);
    folded += part;
    at += c.length;
  }
  starts.push(text.length);
  /** @type {[number, number][]} */
  const found = [];
  for (let from = folded.indexOf(sought); from >= 0; from = folded.indexOf(sought, from + 1)) {
    const end = from + sought.length;
    const before = [...folded.slice(Math.max(0, from - 4), from)].reverse().join("");
    const isWhole = !(goesOn(sought) && goesOn(before)) && !goesOn(folded.slice(end, end + 4));
    if (isWhole || isPart) found.push([starts[from], starts[end]]);
  }
  return found;
}

/** Whether a text names the user.
 * @param {string} text @param {string} me */
export const mentions = (text, me) => wholeWords(text, me).length > 0;

/**
 * The parts of a safe line.
 * @param {string} line
 * @param {string} me
 * @param {string[]} sought  words to mark
 * @returns {Part[]}
 */
export function parts(line, me, sought = []) {
  /** @type {Part[]} */
  const found = [];
  let at = 0;
  let links = 0;
  for (const match of line.matchAll(/https?:\/\/[^\s<>"`{}|\\^\p{Cc}]+/giu)) {
    if (links === MAX_LINKS) break;
    links += 1;
    const link = trimmed(match[0]);
    const start = match.index ?? 0;
    if (!isWeb(link)) continue;
    words(found, line.slice(at, start), me, sought);
    found.push({ kind: "link", text: link });
    at = start + link.length;
  }
  words(found, line.slice(at), me, sought);
  return found;
}

/** @param {Part[]} found @param {string} text @param {string} me @param {string[]} sought */
function words(found, text, me, sought) {
  /** @type {[number, number, "mention" | "sought"][]} */
  const places = wholeWords(text, me).map(([start, end]) => [text[start - 1] === "@" ? start - 1 : start, end, "mention"]);
  for (const word of sought) for (const [start, end] of wholeWords(text, word, true)) places.push([start, end, "sought"]);
  places.sort((one, other) => one[0] - other[0] || other[1] - one[1]);
  let at = 0;
  for (const [from, end, kind] of places) {
    if (from < at) continue;
    if (from > at) found.push({ kind: "text", text: text.slice(at, from) });
    found.push({ kind, text: text.slice(from, end) });
    at = end;
  }
  if (at < text.length) found.push({ kind: "text", text: text.slice(at) });
}
