import assert from "node:assert/strict";
import test from "node:test";
import { mentions, parts } from "../links.js";
import { commands, corrected, readLine } from "../packets.js";
import { safeLines } from "../text.js";

const links = (line) => parts(line, "alice").filter((part) => part.kind === "link").map((part) => part.text);

test("links end where the sentence goes on", () => {
  assert.deepEqual(links("see https://a.example/x, or (http://b.example/y)."), ["https://a.example/x", "http://b.example/y"]);
  assert.deepEqual(links("https://a.example/wiki/Tea_(drink)"), ["https://a.example/wiki/Tea_(drink)"]);
  assert.deepEqual(links('<a href="https://a.example/">'), ["https://a.example/"]);
});

test("nothing but web pages is a link", () => {
  for (const line of ["javascript:alert(1)", "data:text/html,x", "file:///etc", "https://", "http://\u200b", "ftp://a.example"]) {
    assert.deepEqual(links(line), [], line);
  }
});

test("a link that hides where it leads is none", () => {
  assert.deepEqual(links("https://a.example/\u200dx"), []);
  assert.deepEqual(links(`https://a.example/${"x".repeat(3000)}`), []);
});

test("the parts are the whole line", () => {
  const line = "hi @alice, see https://a.example/x?a=1&b=2. Alice";
  assert.equal(parts(line, "alice").map((part) => part.text).join(""), line);
  const kinds = parts(line, "alice").map((part) => part.kind);
  assert.deepEqual(kinds, ["text", "mention", "text", "link", "text", "mention"]);
});

test("a name is a mention as a whole word, in any case and with any accents", () => {
  for (const text of ["alice", "hi ALICE!", "@alice:", "älice"]) assert.ok(mentions(text, "alice"), text);
  for (const text of ["malice", "alices", "alice-2", "alice_", ""]) assert.ok(!mentions(text, "alice"), text);
  assert.ok(!mentions("x", ""));
});

test("no text of 10 kB holds the page up", () => {
  const runs = ["http://a/", "http://", "(", ")", "[", "]", "[(", ")]", ".", "'", "@alice", "alice", "alice-", "a\u0301", "\u0301", "\ufdfa", "\r", "\n", "\r\n", "\u200d", "\u202e", "\u2066", "\ud83c\udff4", "\"", " ", "\t"];
  const texts = runs.flatMap((run) => {
    const many = (length) => run.repeat(Math.ceil(length / run.length));
    return [many(9980), `http://a/${many(9980)}`, `http://a/${many(4990)}x${")".repeat(4990)}`, `x${many(4990)}x${".".repeat(4990)}x`, `/${many(4990)}x`];
  });
  const slow = texts.filter((msg) => {
    // Of this process: other work on the machine does not count.
    const start = process.cpuUsage();
    for (const line of safeLines(msg)) parts(line, "alice");
    commands(msg);
    readLine(msg, []);
    corrected(msg);
    return process.cpuUsage(start).user > 1_000_000;
  });
  assert.deepEqual(slow.map((msg) => `${msg.slice(0, 12)}…${msg.slice(-3)}`), []);
});

test("brackets and marks around a link stay outside of it, in any order", () => {
  assert.deepEqual(links("(see [http://a.example/x).]"), ["http://a.example/x"]);
  assert.deepEqual(links("http://a.example/f(x)[1]!"), ["http://a.example/f(x)[1]"]);
  assert.deepEqual(links(`http://a.example/${")".repeat(9980)}`), ["http://a.example/"]);
  assert.deepEqual(links(`${"http://[ ".repeat(20)} http://a.example/`), [], "what is no link counts, too");
});
