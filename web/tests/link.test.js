import assert from "node:assert/strict";
import test from "node:test";

/** A browser's connection, from the other side. */
class Played {
  static OPEN = 1;
  static last;
  readyState = 1;
  constructor() {
    Played.last = this;
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
