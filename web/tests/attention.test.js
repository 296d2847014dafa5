import assert from "node:assert/strict";
import test from "node:test";
import { Attention, FOREVER, until } from "../attention.js";

test("times are read as the terminal reads them", () => {
  assert.deepEqual(["10m", "1h 30m", "2D", "forever"].map((text) => until(text, 0)), [600_000, 5_400_000, 172_800_000, FOREVER]);
  for (const wrong of ["", "10", "m", "-1h", "1 month", "0s", "12:00", "200w 9999999d"]) assert.equal(until(wrong, 0), undefined, wrong);
});

test("a user with a key is ignored under any name, one without by name, each until then", () => {
  const attention = new Attention();
  attention.ignore({ name: "bob", tag: "k1", until: FOREVER });
  attention.ignore({ name: "Eve", until: 60 });
  assert.ok(attention.hides("rob", "k1", 1) && !attention.hides("bob", "k2", 1) && !attention.hides("bob", undefined, 1));
  assert.ok(attention.hides("eve", undefined, 59) && !attention.hides("eve", undefined, 60) && !attention.hides("eve", "k3", 1));
  const later = new Attention();
  later.restore(JSON.parse(JSON.stringify(attention.saved)));
  assert.deepEqual(later.listed(60).map(({ name }) => name), ["bob"]);
  assert.deepEqual([later.unignore("BOB"), later.unignore("bob")], [true, false]);
  later.restore({ ignored: [7, { name: "x" }], silentUntil: "y" });
  assert.deepEqual(later.saved, { ignored: [], silentUntil: 0 });
});

test("silence ends by itself", () => {
  const attention = new Attention();
  attention.silentUntil = 60;
  assert.deepEqual([attention.isSilent(59), attention.isSilent(60)], [true, false]);
});
