import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { brief, briefName, safeLine, safeLines } from "../text.js";

const examples = JSON.parse(readFileSync(new URL("texts.json", import.meta.url), "utf8"));

test("each example is shown as in the terminal", () => {
  for (const [text, shown] of examples) assert.equal(safeLine(text), shown, JSON.stringify(text));
});

test("a second pass changes nothing", () => {
  for (const [, shown] of examples) assert.equal(safeLine(shown), shown, JSON.stringify(shown));
});

test("lines are separated by line feeds only", () => {
  assert.deepEqual(safeLines("one\r\ntwo\u2028x\n"), ["one", "two\ufffdx"]);
  assert.deepEqual(safeLines(""), [""]);
});

test("half a character does not reach the page", () => {
  assert.equal(safeLine("a\ud800b"), "a\ufffdb");
});

test("a text within a line is cut before it is made safe", () => {
  assert.equal(brief(`\u2067${"x".repeat(300)}`, 5), "\u2067xxxx\u2069…");
  assert.equal(briefName(`${"x".repeat(300)}.exe`, 10), "xxxxx…x.exe");
  assert.equal(briefName("plan.pdf"), "plan.pdf");
});

test("characters of many parts stay whole at any place of a long text", () => {
  for (const cluster of ["\ud83c\udde9\ud83c\uddea", "\ud83d\udc69\ud83c\udffd\u200d\ud83d\ude80", "e\u0301", "\u0915\u094d\u0937"]) {
    for (const before of ["", "x", "xy", "\ud83d\ude00"]) assert.equal(safeLine(before + cluster.repeat(700)), before + cluster.repeat(700));
  }
});
