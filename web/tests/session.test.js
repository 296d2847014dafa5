import assert from "node:assert/strict";
import test from "node:test";
import { point } from "../session.js";
import { chat, end, enter, play, welcome } from "./played.js";

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

const notes = (store, name = "#lobby") =>
  store.spot(name).messages.filter(({ kind }) => kind === "note" || kind === "failure").map(({ text }) => text);

test("who leaves is not told of a reconnection, nor is who is kicked", () => {
  const played = play();
  const { session, store } = played;
  enter(played);
  session.down("you have left", 0, "note");
  session.down("the connection to the server is lost", 0);
  assert.deepEqual(notes(store).slice(1), ["you have left"]);
  enter(played);
  session.down("the connection to the server is lost", 2);
  assert.equal(notes(store).at(-1), "the connection to the server is lost; reconnecting");
});

test("of another server at the address, one note tells, and nothing of the old one stays", async () => {
  const played = play();
  const { session, store, take, told } = played;
  enter(played, {}, 3);
  session.packet(chat(4, "hi", { to: "alice" }));
  await session.say(store.current, "on its way", {});
  session.down("lost", 1);
  const before = notes(store).length;
  session.up("other");
  assert.deepEqual([take("hello").at(-1).since, take("hello").at(-1).log], [0, undefined]);
  session.packet(welcome({ server: { id: "other", name: "shed" }, rewound: true, since: 0 }));
  session.packet(end(0));
  const said = notes(store);
  assert.deepEqual(said, ["another server has this address now: connected to shed as alice; 1 user here; your unsent messages are back in the input"], before);
  assert.deepEqual(told.welcomed, [false, true]);
  assert.deepEqual(store.listed.map(({ key }) => key), ["#lobby"]);
});

test("a server that went back says so in the note of the return", () => {
  const played = play();
  const { session, store } = played;
  enter(played, {}, 3);
  session.down("lost", 1);
  session.up("s");
  session.packet(welcome({ rewound: true, since: 1 }));
  session.packet(end(1));
  assert.equal(notes(store).filter((note) => note.startsWith("connected again")).length, 1);
  assert.match(notes(store).at(-1), /^connected again, but the server went back/);
});

test("a conversation with nobody goes with the refusal, and what was typed returns to where it was typed", async () => {
  const played = play();
  const { session, store, told, take } = played;
  enter(played);
  const origin = { spot: store.current, line: "/msg nobody hi" };
  await session.say(store.spot("@nobody"), "hi", { origin });
  assert.ok(store.listed.some(({ key }) => key === "@nobody"));
  session.packet({ type: "error", code: "no_such_user", id: take("chat")[0].id, msg: "there is no user nobody" });
  assert.ok(!store.listed.some(({ key }) => key === "@nobody"));
  assert.deepEqual(told.back, [["#lobby", "/msg nobody hi"]]);
  assert.equal(notes(store).at(-1), "not sent: there is no user nobody");
  // Where people have talked, the text stays with the conversation.
  session.packet(chat(1, "hello", { to: "alice" }));
  await session.say(store.spot("@bob"), "hi", { origin });
  session.packet({ type: "error", code: "muted", id: take("chat")[1].id, msg: "you are muted" });
  assert.deepEqual(told.back[1], ["@bob", "hi"]);
});

test("a new name is remembered for the next visit", () => {
  const played = play();
  enter(played);
  played.session.packet({ type: "renamed", old: "bob", name: "robert", msg: "bob is now robert" });
  played.session.packet({ type: "renamed", old: "alice", name: "ally", msg: "you are now ally" });
  assert.deepEqual([played.told.renamed, played.session.name], [["ally"], "ally"]);
});

test("a text that the page closes with before it is on the disk comes back once", async () => {
  const played = play();
  const { session, store, held } = played;
  enter(played);
  let written = () => {};
  session.outbox.disk.put = (entry) => new Promise((resolve) => {
    written = () => resolve(void held.set(entry.id, entry));
  });
  const said = session.say(store.current, "x".repeat(9000), {});
  const saved = JSON.parse(JSON.stringify(store.saved));
  const lost = play();
  lost.store.restore(saved);
  await lost.session.recall();
  await lost.session.recall();
  assert.deepEqual(lost.told.back.map(([place, line]) => [place, line.length]), [["#lobby", 9000]]);
  assert.equal(lost.store.saved.leaving.length, 0);
  written();
  await said;
  assert.equal(store.saved.leaving.length, 0);
  const found = play();
  for (const [id, entry] of held) found.held.set(id, entry);
  found.store.restore(saved);
  await found.session.recall();
  assert.deepEqual([found.told.back, found.store.spot("#lobby").messages.length], [[], 1]);
});

test("people of a place that the user has left are not shown in the next", async () => {
  const played = play();
  const { session, store, sent } = played;
  let again = 0;
  enter(played, { rooms: [{ name: "#kitchen" }] });
  session.askPeople = () => (again += 1);
  store.go("#kitchen");
  const asked = session.people("");
  const { id } = sent.at(-1);
  store.go("#lobby");
  session.packet({ type: "users", id, room: "#kitchen", total: 1, users: [{ name: "cook" }] });
  await asked;
  assert.deepEqual([store.people, again], [[], 1]);
  session.packet({ type: "room", room: "#kitchen", joined: false });
  assert.equal(again, 2, "the server has led the user elsewhere");
});

test("the own row shows the own absence at once", () => {
  const played = play();
  const { session, store } = played;
  enter(played);
  store.people = [{ name: "alice" }, { name: "bob" }];
  session.packet({ type: "away", away: "lunch", msg: "you are away: lunch" });
  assert.deepEqual([store.isAway, store.people[0].away], [true, "lunch"]);
  session.packet({ type: "away", msg: "you are back" });
  assert.deepEqual([store.isAway, store.people[0].away], [false, undefined]);
});

test("of another server at the address, a draft stays in sight, and the user's earlier names are none there", () => {
  const played = play();
  const { session, store } = played;
  enter(played);
  Object.assign(store.spot("#quiet"), { joined: true, draft: "for the quiet room" });
  store.wasCalled("alicia");
  session.down("lost", 1);
  session.up("other");
  session.packet(welcome({ server: { id: "other", name: "shed" } }));
  session.packet(end(0));
  assert.deepEqual(store.listed.map(({ key }) => key), ["#lobby", "#quiet"]);
  assert.deepEqual([store.spot("#quiet").draft, store.former], ["for the quiet room", []]);
});

test("the people of another place never stand under a place's name", async () => {
  const played = play();
  const { session, store, sent } = played;
  enter(played);
  const answer = async (/** @type {object} */ members) => {
    session.packet({ type: "users", id: sent.at(-1).id, ...members });
    await new Promise((done) => setTimeout(done, 0));
  };
  store.total = 400;
  session.visit();
  await answer({ users: [{ name: "carl" }, { name: "n0" }], total: 400 });
  store.go("#quiet");
  session.visit();
  assert.deepEqual([store.people, sent.at(-1).room], [[], "#quiet"], "asked at once, however many there are");
  await answer({ room: "#quiet", users: [{ name: "alice" }], total: 1 });
  assert.deepEqual(store.people.map(({ name }) => name), ["alice"]);
  const before = sent.length;
  session.visit();
  assert.equal(sent.length, before, "the same place needs no question");
});

test("at another server of the same chat, the page says which, and what waited goes there", async () => {
  const played = play();
  const { session, store, take } = played;
  enter(played, { node: "a" });
  await session.say(store.current, "one", {});
  session.down("lost", 1);
  session.up("s");
  session.packet(welcome({ node: "b", total: 3 }));
  session.packet(end(0));
  assert.equal(notes(store).at(-1), "going on at server b; 3 users here");
  assert.deepEqual(take("chat").map(({ id, msg }) => [id, msg]), [0, 1].map(() => [take("chat")[0].id, "one"]));
});
