import assert from "node:assert/strict";
import test from "node:test";
import { FOREVER } from "../attention.js";
import { place } from "../packets.js";
import { Store } from "../store.js";

const WELCOME = { name: "alice", server: { id: "s", name: "desk" }, total: 1, log: "l", seq: 0, rooms: [{ name: "#games" }] };
const chat = (seq, msg, more = {}) => ({ from: { name: "bob" }, to: "all", msg, seq, ts: "2026-11-21T12:00:00.000Z", ...more });
const made = () => {
  const store = new Store();
  store.welcome(WELCOME);
  return store;
};
const texts = (store, name = "#lobby") => store.spot(name).messages.map(({ text }) => text);

test("messages are in the order of their numbers, each once, however they come", () => {
  const store = made();
  for (const seq of [3, 5, 4, 3]) store.chat(chat(seq, `m${seq}`));
  store.chat(chat(1, "m1"), { isPast: true });
  assert.deepEqual(texts(store), ["m1", "m3", "m4", "m5"]);
});

test("an own message is last until its receipt, which gives it its place", () => {
  const store = made();
  store.outgoing(place("all"), { id: "x-1", msg: "mine", ts: 0 });
  store.chat(chat(2, "theirs"));
  assert.deepEqual(texts(store), ["theirs", "mine"]);
  store.sent("x-1", { seq: 1, ts: "2026-11-21T12:00:00.000Z" });
  assert.deepEqual(texts(store), ["mine", "theirs"]);
  assert.equal(store.spot("#lobby").messages[0].state, "stored");
});

test("an own message that came back in the history is there once", () => {
  const store = made();
  store.outgoing(place("all"), { id: "x-1", msg: "mine", ts: 0 });
  store.chat(chat(1, "mine", { from: { name: "alice" } }));
  store.sent("x-1", { seq: 1 });
  assert.deepEqual(texts(store), ["mine"]);
});

test("a refused message leaves the list", () => {
  const store = made();
  store.outgoing(place("@bob"), { id: "x-1", msg: "mine", ts: 0 });
  assert.equal(store.refused("x-1").key, "@bob");
  assert.deepEqual(texts(store, "@bob"), []);
});

test("what the user does not see is unread, and the first of it has the line above it", () => {
  const store = made();
  store.isSeen = true;
  store.chat(chat(1, "seen"));
  store.chat(chat(2, "elsewhere", { to: "#games" }));
  store.isSeen = false;
  store.chat(chat(3, "hidden"));
  store.chat(chat(4, "hi Alice"));
  const lobby = store.spot("#lobby");
  assert.deepEqual([lobby.unread, lobby.forMe, lobby.newFrom], [2, 1, 3]);
  assert.deepEqual([store.spot("#games").unread, store.forMe], [1, 1]);
  store.markRead(lobby);
  assert.deepEqual([lobby.unread, lobby.read, store.forMe], [0, 4, 0]);
  assert.equal(store.next.key, "#games");
});

test("what was read in another session is not unread", () => {
  const store = made();
  store.chat(chat(3, "one"));
  store.readElsewhere({ seq: 3 });
  assert.equal(store.spot("#lobby").unread, 0);
  store.chat(chat(2, "older"), { isMissed: true });
  assert.equal(store.spot("#lobby").unread, 0);
});

test("a message is edited and deleted where it stands", () => {
  const store = made();
  store.chat(chat(1, "lunch at 1"));
  store.change({ type: "edited", of: 1, msg: "corrected: lunch at 2" });
  assert.deepEqual(texts(store), ["lunch at 2"]);
  store.change({ type: "deleted", of: 1, from: { name: "op" } });
  assert.deepEqual([texts(store)[0], store.spot("#lobby").messages[0].deleted], ["", "op"]);
  store.change({ type: "edited", of: 99, msg: "corrected: nothing" });
});

test("a long stay holds a bounded number of messages", () => {
  const store = made();
  store.isSeen = true;
  for (let seq = 1; seq <= 5000; seq += 1) store.chat(chat(seq, "x"));
  const lobby = store.spot("#lobby");
  assert.ok(lobby.messages.length <= 2000 && lobby.bySeq.size === lobby.messages.length);
  assert.equal(lobby.isWhole, false);
});

test("after a rewind, numbers above the common end are forgotten", () => {
  const store = made();
  for (const seq of [1, 2, 3]) store.chat(chat(seq, `m${seq}`));
  store.rewind(1);
  assert.deepEqual(texts(store), ["m1"]);
});

test("a user's conversation goes on under another name", () => {
  const store = made();
  store.chat(chat(1, "hi", { to: "alice" }));
  store.renamed("bob", "Robert");
  assert.deepEqual(texts(store, "@robert"), ["hi"]);
});

test("the places that the user has left are not listed, and a later run has the unread", () => {
  const store = made();
  store.chat(chat(1, "x", { to: "#games" }));
  store.chat(chat(2, "y", { to: "alice" }));
  const later = new Store();
  later.restore(JSON.parse(JSON.stringify(store.saved)));
  later.welcome(WELCOME);
  assert.deepEqual(later.listed.map(({ key, unread }) => [key, unread]), [["#lobby", 0], ["#games", 1], ["@bob", 1]]);
  later.welcome({ ...WELCOME, rooms: [] });
  assert.deepEqual(later.listed.map(({ key }) => key), ["#lobby", "@bob"]);
});

test("an ignored user's messages are hidden by key and not counted, and come back", () => {
  const store = made();
  store.attention.ignore({ name: "bob", tag: "k1", until: FOREVER });
  store.chat(chat(1, "hi alice", { from: { name: "rob", key: "k1" } }));
  store.chat(chat(2, "psst", { to: "alice", from: { name: "bob", key: "k1" } }));
  store.chat(chat(3, "another bob", { from: { name: "bob" } }));
  const lobby = store.spot("#lobby");
  assert.deepEqual(store.shown(lobby).map(({ text }) => text), ["another bob"]);
  assert.deepEqual([lobby.unread, store.forMe, store.lastWriter, store.spots.has("@bob")], [1, 0, "", false]);
  store.attention.unignore("bob");
  assert.equal(store.shown(lobby).length, 2);
});

test("a conversation in which nobody said anything ends when the user leaves it, and a draft stays", () => {
  const store = made();
  store.go("@nobody");
  store.go("#lobby");
  assert.deepEqual(store.listed.map(({ key }) => key), ["#lobby", "#games"]);
  store.go("@carol");
  store.current.draft = "dear carol";
  store.go("#lobby");
  assert.ok(store.spots.has("@carol") && store.saved.spots.some(({ name }) => name === "@carol"));
});

test("a draft that is too long to keep is told", () => {
  const store = made();
  assert.equal(store.isOverfull, false);
  store.current.draft = "x".repeat(100_001);
  assert.equal(store.isOverfull, true);
});

test("a closed conversation is listed again with its next message", () => {
  const store = made();
  store.chat(chat(1, "hi", { to: "alice" }));
  store.spot("@bob").joined = false;
  assert.ok(!store.listed.some(({ key }) => key === "@bob"));
  store.note("bob has left", "note", "@bob");
  assert.ok(!store.listed.some(({ key }) => key === "@bob"));
  store.chat(chat(2, "are you there?", { to: "alice" }));
  assert.ok(store.listed.some(({ key, unread }) => key === "@bob" && unread === 2));
});

const keyed = () => {
  const store = new Store();
  store.welcome({ ...WELCOME, key: "SHA256:aaaaaaaabbbb" });
  return store;
};

test("own messages are known by the key, under any name, and an earlier user of the name is someone else", () => {
  const store = keyed();
  store.chat(chat(1, "as al", { from: { name: "al", key: "aaaaaaaa" } }));
  store.chat(chat(2, "another alice", { from: { name: "alice" } }));
  store.chat(chat(3, "a third alice", { from: { name: "alice", key: "cccccccc" } }));
  store.chat(chat(4, "to bob, as al", { from: { name: "al", key: "aaaaaaaa" }, to: "bob" }));
  assert.deepEqual(store.spot("#lobby").messages.map(({ mine }) => mine), [true, false, false]);
  assert.deepEqual([texts(store, "@bob"), store.spots.has("@al"), store.spots.has("@alice")], [["to bob, as al"], false, false]);
  store.chat(chat(5, "from my other page", { from: { name: "al", key: "aaaaaaaa" }, to: "alice" }));
  assert.deepEqual(texts(store, "@al"), ["from my other page"]);
});

test("a conversation goes on with a partner who was renamed while the page was closed", () => {
  const store = keyed();
  store.chat(chat(1, "hi", { to: "alice", from: { name: "bob", key: "kkkkkkkk" } }));
  const later = new Store();
  later.restore(JSON.parse(JSON.stringify(store.saved)));
  later.welcome({ ...WELCOME, key: "SHA256:aaaaaaaabbbb" });
  later.spot("@bob").draft = "for bob";
  later.chat(chat(2, "now robert", { to: "alice", from: { name: "robert", key: "kkkkkkkk" } }), { isMissed: true });
  assert.deepEqual([later.spots.has("@bob"), later.spot("@robert").draft, later.lastWriter], [false, "for bob", "robert"]);
});

test("a draft and the place stay over runs of the page that the server does not see", () => {
  const store = made();
  store.go("#games");
  store.current.draft = "dear players";
  let saved = JSON.parse(JSON.stringify(store.saved));
  for (let run = 0; run < 2; run += 1) {
    const later = new Store();
    later.restore(saved);
    saved = JSON.parse(JSON.stringify(later.saved));
  }
  const last = new Store();
  last.restore(saved);
  last.welcome({ ...WELCOME, rooms: [] });
  assert.equal(last.here, "#lobby");
  // The user is not in that room any more; the text waits.
  assert.equal(last.saved.spots.find(({ name }) => name === "#games").draft, "dear players");
  const back = new Store();
  back.restore(saved);
  back.welcome(WELCOME);
  assert.deepEqual([back.here, back.current.draft], ["#games", "dear players"]);
});

test("a crowd of conversations displaces none with a draft or a waiting message", () => {
  const store = made();
  store.spot("@carol").draft = "dear carol";
  store.outgoing(place("@dave"), { id: "i1", msg: "waiting", ts: 0 });
  for (let n = 1; n <= 300; n += 1) {
    store.chat(chat(n, "hi", { to: "alice", from: { name: `user${n}` } }));
    store.markRead(store.spot(`@user${n}`));
  }
  assert.deepEqual([store.spot("@carol").draft, store.own("i1") !== undefined], ["dear carol", true]);
});

test("a partner who takes the name of another conversation brings along what was typed", () => {
  const store = made();
  store.chat(chat(1, "one", { to: "alice", from: { name: "new" } }));
  store.chat(chat(2, "two", { to: "alice", from: { name: "old" } }));
  store.spot("@old").draft = "for old";
  store.renamed("old", "new");
  assert.deepEqual([texts(store, "@new"), store.spot("@new").draft, store.spots.has("@old")], [["one", "two"], "for old", false]);
});

test("a page that nobody looks at holds a bounded number of messages", () => {
  const store = made();
  for (let seq = 1; seq <= 60_000; seq += 1) store.chat(chat(seq, "x"));
  const lobby = store.spot("#lobby");
  assert.ok(lobby.messages.length <= 2000 && lobby.bySeq.size === lobby.messages.length, String(lobby.messages.length));
  assert.deepEqual([lobby.unread, lobby.newFrom, lobby.messages.at(-1).seq], [60_000, 1, 60_000]);
});

test("a reader who has scrolled back keeps the place, and a gap stands for what came since", () => {
  const store = made();
  for (let seq = 1; seq <= 1500; seq += 1) store.chat(chat(seq, "x"));
  const lobby = store.spot("#lobby");
  store.top = lobby.bySeq.get(800);
  for (let seq = 1501; seq <= 60_000; seq += 1) store.chat(chat(seq, "x"));
  assert.ok(lobby.messages.length <= 4000 && lobby.bySeq.size === lobby.messages.length, String(lobby.messages.length));
  assert.ok(lobby.messages.includes(store.top) && lobby.bySeq.has(1200) && lobby.bySeq.has(59_999));
  const at = lobby.messages.findIndex(({ seq }) => seq === lobby.gap.before);
  assert.equal(lobby.messages[at - 1].seq, lobby.gap.after);
  const steps = lobby.messages.slice(1).filter(({ seq }, place) => seq !== lobby.messages[place].seq + 1);
  assert.deepEqual(steps.map(({ seq }) => seq), [lobby.gap.before], "one hole");
});

test("what the page notes stands where it was noted, below the messages from before", () => {
  const store = new Store();
  store.welcome({ ...WELCOME, seq: 9 });
  store.note("connected");
  store.chat(chat(8, "missed"), { isMissed: true });
  store.chat(chat(2, "old"), { isPast: true });
  store.chat(chat(10, "live"));
  assert.deepEqual(texts(store), ["old", "missed", "connected", "live"]);
});

test("the last writer and the earlier names are known in a later run", () => {
  const store = made();
  store.chat(chat(1, "hi", { to: "alice" }));
  store.renamed("alice", "ally");
  const later = new Store();
  later.restore(JSON.parse(JSON.stringify(store.saved)));
  assert.deepEqual([later.lastWriter, later.former.map(({ name }) => name)], ["bob", ["alice"]]);
  const old = new Store();
  old.restore({ spots: [{ name: "@bob", unread: 1, last: 4 }, { name: "@carol", unread: 2, last: 7 }] });
  assert.equal(old.lastWriter, "carol");
});

test("the text of an edit in progress outlives a reload as a draft", () => {
  const store = new Store();
  store.welcome({ name: "alice", server: { id: "s" } });
  const message = store.insert(store.current, { kind: "chat", text: "teh", from: "alice", ts: 1, seq: 1, mine: true });
  store.current.about = { what: "edit", message, text: "teh" };
  assert.ok(!store.hasDraft, "nothing is changed yet");
  store.current.about.text = "the long correction";
  assert.ok(store.hasDraft);
  const later = new Store();
  later.restore(JSON.parse(JSON.stringify(store.saved)));
  assert.equal(later.current.draft, "the long correction");
});
