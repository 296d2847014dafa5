import assert from "node:assert/strict";
import test from "node:test";
import { Kept } from "../kept.js";

const state = (drafts, more = {}) => ({
  server: "s", spots: Object.entries(drafts).map(([name, draft]) => ({ name, draft })), ...more,
});
const drafts = ({ spots }) => Object.fromEntries(spots.filter(({ draft }) => draft).map(({ name, draft }) => [name, draft]));

/** Two pages over one storage. */
function pages() {
  let shared = state({});
  const page = () => {
    const kept = new Kept();
    let last;
    kept.first(shared, undefined);
    const save = (texts) => {
      last = state(texts);
      shared = kept.merged(last, shared);
      return drafts(shared);
    };
    return { save, again: () => drafts(new Kept().first(shared, last)) };
  };
  return { one: page(), other: page(), fresh: () => drafts(new Kept().first(shared, undefined)) };
}

test("two pages keep each other's drafts", () => {
  const { one, other, fresh } = pages();
  one.save({ "#lobby": "mine", "@bob": "" });
  other.save({ "#lobby": "", "#games": "theirs" });
  one.save({ "#lobby": "mine", "@bob": "" });
  assert.deepEqual(fresh(), { "#lobby": "mine", "#games": "theirs" });
});

test("a draft that was sent goes, and another page's draft for the same place stays", () => {
  const { one, other, fresh } = pages();
  one.save({ "#lobby": "mine" });
  other.save({ "#lobby": "theirs" });
  one.save({ "#lobby": "" });
  assert.deepEqual(fresh(), { "#lobby": "theirs" });
  other.save({ "#lobby": "" });
  assert.deepEqual(fresh(), {});
});

test("a page that is loaded again has its own draft, and those of pages that were closed", () => {
  const { one, other } = pages();
  one.save({ "#lobby": "mine" });
  other.save({ "#lobby": "theirs", "#games": "left" });
  assert.deepEqual(one.again(), { "#lobby": "mine", "#games": "left" });
});

test("drafts for another server's users do not mix", () => {
  const kept = new Kept();
  const old = state({ "@bob": "old" }, { server: "old" });
  assert.deepEqual(drafts(kept.merged(state({ "#lobby": "new" }), old)), { "#lobby": "new" });
});
