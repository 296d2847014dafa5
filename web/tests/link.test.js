import assert from "node:assert/strict";
import test from "node:test";

/** A browser's connection, from the other side. */
class Played {
  static OPEN = 1;
  static last;
  readyState = 1;
  constructor(url) {
    Played.last = this;
    this.url = url;
  }
  send() {}
  close() {}
}
Object.assign(globalThis, { WebSocket: Played, location: { protocol: "http:", host: "desk" } });
const { Link } = await import("../link.js");

test("why the server lets nobody in reaches the user in its words, before and after a session began", (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told = [];
  const link = new Link({ up: () => {}, packet: ({ type }) => told.push(type), down: (why, seconds) => told.push(why, seconds > 0) });
  for (const msg of ["because of misbehaviour from your address, only clients that own a name here may connect", "this server is full"]) {
    link.connect();
    Played.last.onmessage({ data: `${JSON.stringify({ type: "error", code: "server_full", msg })}\n` });
    Played.last.onclose();
    assert.deepEqual(told.splice(0), ["error", msg, true]);
  }
  // The next loss has a reason of its own.
  link.connect();
  Played.last.onclose();
  assert.deepEqual(told, ["the connection to the server is lost", true]);
  link.leave();
});

test("no answer ends a connection, and the page tries again", (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told = [];
  const link = new Link({ up: () => {}, packet: () => {}, down: (why) => told.push(why) });
  link.connect();
  const first = Played.last;
  context.mock.timers.tick(10_000);
  assert.deepEqual(told, ["the server does not answer"]);
  context.mock.timers.tick(1000);
  assert.notEqual(Played.last, first);
  link.leave();
});

/** What a server of three says as it takes the user in. */
const taken = (node) => ({
  node, server: { id: "s" }, servers: ["a", "b", "c"].map((node, at) => ({ node, address: `10.0.0.${at + 1}`, port: 7667 })),
});

test("when its server is gone, the page tries the others at once, and waits only if none of them takes the user in", (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told = [];
  const link = new Link({ up: () => {}, packet: () => {}, down: (why, seconds) => told.push(seconds) });
  link.connect();
  assert.equal(Played.last.url, "ws://desk/chat");
  link.settle(taken("a"));
  const tried = [];
  for (let n = 0; n < 2; n += 1) {
    Played.last.onclose();
    context.mock.timers.tick(300);
    tried.push(Played.last.url);
  }
  assert.deepEqual(tried.sort(), ["ws://10.0.0.2:7667/chat", "ws://10.0.0.3:7667/chat"]);
  assert.ok(told.every((seconds) => seconds > 0 && seconds <= 0.3), `${told}`);
  // That one does not even answer.
  context.mock.timers.tick(3000);
  assert.ok(told.at(-1) >= 0.375 && link.servers.rounds === 1, `${told}`);
  context.mock.timers.tick(700);
  assert.equal(Played.last.url, "ws://desk/chat");
  link.leave();
});

test("files go by the server where the user is, and a server that is full leads to the next one", (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const link = new Link({ up: () => {}, packet: () => {}, down: () => {} });
  link.connect();
  const full = { code: "server_full", msg: "this server is full" };
  assert.ok(!link.goesOn(full), "nobody knows of others yet");
  link.settle(taken("a"));
  Played.last.onclose();
  context.mock.timers.tick(300);
  const first = Played.last.url;
  assert.equal(link.address("/file"), first.replace("/chat", "/file"));
  assert.ok(!link.goesOn({ code: "banned", msg: "you are banned" }) && link.goesOn(full));
  context.mock.timers.tick(300);
  assert.ok(Played.last.url !== first && Played.last.url.startsWith("ws://10.0.0."));
  const last = Played.last;
  assert.ok(link.goesOn({ code: "rate_limited", msg: "you come and go too often; try again in 9 s" }));
  context.mock.timers.tick(11_000);
  assert.equal(Played.last, last, "no server takes the user sooner");
  context.mock.timers.tick(8000);
  assert.notEqual(Played.last, last);
  link.leave();
});

test("a server of another chat at that address gets nothing", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const told = [];
  const link = new Link({ up: (server) => told.push(server), packet: () => {}, down: (why) => told.push(why) });
  link.connect();
  link.settle(taken("a"));
  Played.last.onclose();
  context.mock.timers.tick(300);
  let sent = 0;
  Played.last.send = () => (sent += 1);
  await link.prove({ type: "challenge", id: "other", nonce: "00" });
  assert.deepEqual([sent, told.at(-1), told.includes("other")], [0, "another server has that address now", false]);
  link.leave();
});
