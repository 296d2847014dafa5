import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "../outbox.js";
import { Session, point } from "../session.js";
import { Store } from "../store.js";

/** A session with a server that the test plays. */
function play() {
  const held = new Map();
  const disk = {
    all: async () => [...held.values()],
    put: async (entry) => void held.set(entry.id, entry),
    remove: async (id) => void held.delete(id),
  };
  const sent = [];
  const told = { refused: [], ended: [], back: [], arrived: [] };
  const store = new Store();
  const session = new Session(store, new Outbox(disk), {
    refused: (packet) => told.refused.push(packet), ended: (packet) => told.ended.push(packet),
    giveBack: (spot, line) => told.back.push([spot.key, line]), arrived: (spot, message) => told.arrived.push(message.text),
    file: () => {}, welcome: () => {},
  });
  session.link = { send: (packet) => sent.push(packet) > 0, connect: () => {}, settle: () => {} };
  session.askPeople = () => {};
  const take = (type) => sent.filter((packet) => (packet.type ?? "chat") === type);
  return { session, store, sent, told, take, held };
}

const welcome = (more = {}) => ({
  type: "welcome", name: "alice", server: { id: "s", name: "desk" }, total: 1, log: "l1", seq: 0, msg: "welcome", ...more,
});
const chat = (seq, msg, more = {}) => ({ from: { name: "bob" }, to: "all", msg, seq, ts: "2026-11-21T12:00:00.000Z", ...more });
const end = (seq, more = {}) => ({ type: "history", seq, count: 0, msg: "no messages", ...more });

function enter(played, more, seq = 0) {
  played.session.enter("alice");
  played.session.up();
  played.session.packet(welcome({ seq, ...more }));
  played.session.packet(end(seq));
}

test("nothing goes out before the history is complete", async () => {
  const played = play();
  const { session, take } = played;
  session.enter("alice");
  await session.say({ key: "#lobby", name: "#lobby", isDirect: false }, "too early", {});
  session.up();
  assert.equal(take("hello").length, 1);
  assert.equal(take("hello")[0].since, 0);
  session.packet(welcome());
  assert.equal(take("chat").length, 0);
  session.packet(end(0));
  assert.equal(take("chat").length, 1);
  assert.deepEqual(take("received").map(({ seq }) => seq), [0]);
});

test("a message without a receipt goes again with its id, unless it came back in the history", async () => {
  const played = play();
  const { session, store, take, held } = played;
  enter(played);
  await session.say(store.current, "one", {});
  await session.say(store.current, "two", {});
  const [one, two] = take("chat").map(({ id }) => id);
  session.down("lost", 1);
  assert.deepEqual(store.current.messages.filter(({ mine }) => mine).map(({ state }) => state), ["waiting", "waiting"]);
  played.sent.length = 0;
  session.up();
  session.packet(welcome({ seq: 1 }));
  session.packet(chat(1, "one", { from: { name: "alice" }, id: one, history: true }));
  session.packet(end(1));
  assert.deepEqual(take("chat").map(({ id }) => id), [two]);
  session.packet({ type: "sent", id: two, seq: 2 });
  assert.equal(held.size, 0);
  const own = store.current.messages.filter(({ mine }) => mine).map(({ text, state }) => [text, state]);
  assert.deepEqual(own, [["one", "stored"], ["two", "stored"]]);
});

test("a refused message returns to the input", async () => {
  const played = play();
  const { session, store, take, told, held } = played;
  enter(played);
  await session.say(store.spot("@zoe"), "hello", {});
  session.packet({ type: "error", code: "no_such_user", id: take("chat")[0].id, msg: "nobody called zoe is here" });
  assert.deepEqual(told.back, [["@zoe", "hello"]]);
  assert.equal(held.size, 0);
  assert.deepEqual(store.spot("@zoe").messages.map(({ text }) => text), ["not sent: nobody called zoe is here"]);
});

test("a text over the limit is not sent and not lost", async () => {
  const played = play();
  const { session, store, told, take } = played;
  enter(played);
  await session.say(store.current, "x".repeat(10_001), {});
  assert.equal(told.back.length, 1);
  assert.equal(take("chat").length, 0);
});

test("a command that the server refuses returns, and one that a loss cut off too", () => {
  const played = play();
  const { session, sent, told } = played;
  enter(played);
  session.command("/tme");
  session.packet({ type: "error", code: "bad_command", id: sent[sent.length - 1].id, msg: "there is no command /tme" });
  session.command("/whois bob");
  session.down("lost", 1);
  assert.deepEqual(told.back, [["#lobby", "/tme"], ["#lobby", "/whois bob"]]);
});

test("no number before the end of the history is a point to resume from", () => {
  const played = play();
  const { session } = played;
  enter(played, {}, 5);
  assert.equal(session.point.since, 5);
  session.packet(chat(6, "live"));
  assert.equal(session.point.since, 6);
  session.down("lost", 1);
  session.up();
  assert.deepEqual([session.hello.since, session.hello.log], [6, "l1"]);
  session.packet(welcome({ seq: 9 }));
  session.packet(chat(8, "missed", { history: true }));
  assert.equal(session.point.since, 6);
  session.packet(end(8, { gap: true }));
  session.packet(chat(10, "live after a hole"));
  assert.equal(session.point.since, 8);
});

test("missed messages do not notify, live ones do", () => {
  const played = play();
  const { session, told } = played;
  session.enter("alice");
  session.up();
  session.packet(welcome({ seq: 1 }));
  session.packet(chat(1, "missed", { history: true }));
  session.packet(end(1));
  session.packet(chat(2, "live"));
  assert.deepEqual(told.arrived, ["live"]);
});

test("a refused name leads back to the form, and later errors do not", () => {
  const played = play();
  const { session, told } = played;
  session.enter("bob");
  session.up();
  session.packet({ type: "error", code: "name_taken", id: session.hello.id, name: "bob-2", msg: "the name bob is taken" });
  assert.equal(told.refused.length, 1);
  enter(played);
  session.packet({ type: "error", code: "rate_limited", msg: "slower" });
  assert.equal(told.refused.length, 1);
});

test("a kicked user stays out, and a stopped server is waited for", () => {
  const played = play();
  const { session, told } = played;
  enter(played);
  session.packet({ type: "bye", code: "shutting_down", msg: "the server stops" });
  assert.equal(told.ended.length, 0);
  session.packet({ type: "bye", code: "kicked", msg: "kicked" });
  assert.equal(told.ended.length, 1);
});

test("messages for another server's users come back instead of going out", async () => {
  const played = play();
  const { session, store, told, take } = played;
  enter(played);
  session.down("lost", 1);
  await session.say(store.spot("@bob"), "for the old one", {});
  session.up();
  session.packet(welcome({ server: { id: "other", name: "other" } }));
  session.packet(end(0));
  assert.deepEqual(told.back, [["@bob", "for the old one"]]);
  assert.equal(take("chat").length, 0);
});

test("an answer is all packets with the request's id", async () => {
  const played = play();
  const { session, sent } = played;
  enter(played);
  const asked = session.ask({ type: "history", limit: 2 });
  const { id } = sent[sent.length - 1];
  session.packet(chat(1, "old", { history: true, id }));
  session.packet(end(1, { id, more: true }));
  const { packets, end: last } = await asked;
  assert.deepEqual([packets.length, last.more], [1, true]);
  const lost = session.ask({ type: "time" });
  session.down("lost", 1);
  await assert.rejects(lost, ({ code }) => code === "lost");
});

test("the point knows the incarnations that led to the present one", () => {
  const before = { since: 7, log: "a", logs: [{ log: "z", last: 2 }] };
  const after = point(before, { log: "b", logs: [{ log: "a", last: 7 }] }, 9);
  assert.deepEqual(after, { since: 9, log: "b", logs: [{ log: "a", last: 7 }, { log: "z", last: 2 }] });
  const diverged = point(before, { log: "c", logs: [], since: 5 }, 6);
  assert.deepEqual(diverged, { since: 6, log: "c", logs: [{ log: "a", last: 7 }, { log: "z", last: 2 }] });
  assert.deepEqual(point(after, { log: "b" }, 12), { ...after, since: 12 });
  assert.equal(point(before, {}, 3), undefined);
});
