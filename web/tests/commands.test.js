import assert from "node:assert/strict";
import test from "node:test";
import { run } from "../commands.js";
import { ELSEWHERE, commands, readLine } from "../packets.js";
import { chat, enter, play } from "./played.js";

const HELP = "/history [#ROOM|NAME] [N]  show the last messages\n/msg NAME|#ROOM TEXT  send TEXT\n/whois NAME  show a user\n/help [COMMAND|TOPIC]  list the commands";

/** A page in which the user types. */
function typing() {
  const played = play();
  const { session, store } = played;
  enter(played);
  session.commands = commands(HELP);
  const opened = [];
  const composer = { giveBack: (spot, line) => played.told.back.push([spot.key, line]), editLast: () => opened.push("edit") };
  const does = { help: () => opened.push("help"), search: (words) => opened.push(words), mentions: () => opened.push("mentions") };
  const type = async (line) => {
    const read = readLine(line, session.commands);
    run(read.command, read.rest, line, { store, session, composer, does });
    await new Promise(setImmediate);
  };
  const last = () => store.current.messages.at(-1).text;
  const answer = async (packet) => {
    session.packet({ ...packet, id: played.sent.at(-1).id });
    await new Promise(setImmediate);
  };
  return { ...played, type, last, opened, answer };
}

test("a reply to a numbered line says how to reply here, and returns", async () => {
  const { type, last, told, take } = typing();
  for (const line of ["/reply 2 yes please", "/edit 3 no"]) {
    await type(line);
    assert.match(last(), /^messages have no numbers in the page/);
    assert.deepEqual(told.back.at(-1), ["#lobby", line]);
  }
  assert.equal(take("chat").length, 0);
});

test("a reply without a number goes to the last writer", async () => {
  const { type, session, take } = typing();
  session.packet(chat(1, "psst", { to: "alice" }));
  await type("/reply 10:30 is fine");
  assert.deepEqual(take("chat").map(({ to, msg }) => [to, msg]), [["bob", "10:30 is fine"]]);
});

test("what only the terminal has says where it works, and nothing goes to the server", async () => {
  const { type, last, sent } = typing();
  const before = sent.length;
  for (const name of Object.keys(ELSEWHERE)) {
    await type(`/${name} 1`);
    assert.ok(last().startsWith(`/${name} `), last());
  }
  await type("/older");
  assert.match(last(), /^\/more is not needed here: scroll up/);
  assert.equal(sent.length, before);
});

test("help lists what works here and nothing else, and explains one command", async () => {
  const { type, last, opened } = typing();
  const listed = commands(HELP).map(({ names }) => names[0]);
  assert.ok(!listed.includes("history") && listed.includes("whois") && listed.includes("ignore"), listed);
  assert.ok(listed.every((name) => !(name in ELSEWHERE)));
  await type("/help");
  assert.deepEqual(opened, ["help"]);
  await type("/help whois");
  assert.equal(last(), "/whois NAME: show a user");
  await type("/help verify");
  assert.match(last(), /^\/verify works at a terminal/);
});

test("a user is ignored by the key that the server knows, and shown again", async () => {
  const { type, last, store, session, answer, told } = typing();
  await type("/ignore bob 2h");
  await answer({ type: "whois", user: { name: "bob", key: "SHA256:ab+/cdefgh" } });
  assert.match(last(), /^you no longer see messages from bob until .* \(by key, so under any name\)/);
  session.packet(chat(1, "noise", { from: { name: "bob", key: "ab-_cdef" } }));
  assert.equal(store.shown(store.current).some(({ text }) => text === "noise"), false);
  assert.deepEqual(told.arrived, []);
  await type("/ignore");
  assert.match(last(), /^you ignore bob \(until /);
  await type("/unignore BOB");
  assert.equal(last(), "you see messages from BOB again");
  assert.equal(store.shown(store.current).some(({ text }) => text === "noise"), true);
  await type("/unignore bob");
  assert.match(last(), /^you do not ignore bob/);
  await type("/ignore nobody");
  await answer({ type: "error", code: "no_such_user", msg: "there is no user nobody" });
  assert.deepEqual([last(), told.back.at(-1)[1]], ["there is no user nobody", "/ignore nobody"]);
  session.packet(chat(7, "off I go", { from: { name: "Carol", key: "cd" } }));
  await type("/ignore carol");
  await answer({ type: "error", code: "no_such_user", msg: "there is no user carol" });
  assert.match(last(), /^you no longer see messages from carol \(by key/, "who has left is known by what they said");
  assert.ok(store.attention.hides("other", "cd"));
  await type("/ignore bob 12:00");
  assert.match(last(), /^invalid duration/);
});

test("notifications are silent for a time, until the user ends it, and no longer", async () => {
  const { type, last, store } = typing();
  await type("/dnd 10m");
  assert.ok(store.attention.isSilent() && /^no notifications until /.test(last()));
  await type("/dnd off");
  assert.ok(!store.attention.isSilent());
  await type("/dnd");
  assert.ok(store.attention.isSilent(8e15));
  await type("/dnd soon");
  assert.match(last(), /^invalid duration/);
});

test("mentions and searches open with what was typed", async () => {
  const { type, opened } = typing();
  await type("/mentions");
  await type("/search lunch from:bob");
  assert.deepEqual(opened, ["mentions", "lunch from:bob"]);
});

test("words that every object has are no commands", async () => {
  const { type, take, sent, last, told } = typing();
  for (const name of ["constructor", "__proto__", "hasownproperty", "valueof"]) {
    await type(`/${name}`);
    assert.equal(sent.at(-1).msg, `/${name}`);
    await type(`/help ${name}`);
    assert.match(last(), /^this page has no command/);
  }
  await type("/whois/x");
  assert.match(last(), /begin it with \/\/$/);
  assert.deepEqual(told.back.at(-1), ["#lobby", "/whois/x"]);
  assert.equal(take("chat").length, take("chat").filter(({ to }) => to === "server").length);
});
