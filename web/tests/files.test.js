import assert from "node:assert/strict";
import test from "node:test";
import { Files } from "../files.js";
import { enter, play } from "./played.js";

/** A page that offers a file to bob, and one that bob offers. */
async function offering() {
  const played = play();
  enter(played);
  const { session, store } = played;
  const saved = [];
  const files = new Files(session, { address: (path) => path, ticket: "" }, (url, name) => saved.push(name));
  session.hooks.file = (packet) => files.event(packet);
  const asked = [];
  session.ask = async (request) => {
    asked.push(request);
    return { packets: [], end: { type: "offered", offer: asked.length } };
  };
  const source = { name: "plan.pdf", size: 5, lastModified: 1 };
  await files.offer(store.spot("@bob"), source);
  session.packet({ type: "offer", offer: 9, to: "alice", from: { name: "bob", key: "k1" }, file: { name: "x.zip", size: 7, id: "f" } });
  const [mine, theirs] = files.all;
  return { ...played, files, asked, mine, theirs, source, saved };
}

test("an own file whose connection is lost is offered again, and says so", async () => {
  const { files, mine, theirs, asked } = await offering();
  mine.stage = "moving";
  assert.ok(files.holds(), "a page that closes now stops it");
  files.lost();
  assert.deepEqual([mine.stage, mine.told], ["offered", "the connection is lost; offered again once you are connected"]);
  assert.deepEqual([theirs.stage, theirs.told], ["over", "no longer offered"]);
  await files.again(false);
  assert.deepEqual([mine.stage, mine.told, asked.length], ["offered", "", 2]);
});

test("a file for the users of one server is not offered to those of another", async () => {
  const { files, asked } = await offering();
  files.lost();
  await files.again(true);
  assert.deepEqual([asked.length, files.all], [1, []]);
});

test("a page holds a file that has arrived until the user saves it", async () => {
  const { files, theirs } = await offering();
  assert.equal(files.holds(), false);
  Object.assign(theirs, { stage: "done", arrived: [{ url: "blob:1" }] });
  assert.equal(files.holds(), true);
  files.saved.add("blob:1");
  assert.equal(files.holds(), false);
});

test("an ignored user's file is neither counted nor told", async () => {
  const { session, store, told, files } = await offering();
  store.attention.ignore({ name: "bob", tag: "k1", until: 8e15 });
  const before = [store.forMe, told.arrived.length];
  session.packet({ type: "offer", offer: 10, to: "alice", from: { name: "bob", key: "k1" }, file: { name: "y.zip", size: 7, id: "g" } });
  assert.deepEqual([store.forMe, told.arrived.length], before);
  assert.ok(store.hides(files.all.at(-1).message));
});

test("a file that has arrived goes to the browser's downloads, and of several the user chooses", async () => {
  const { files, theirs, saved } = await offering();
  const file = (name) => ({ path: ["folder", name], parts: ["x"], size: 1 });
  theirs.arrived = [file("x.zip")];
  files.hand(theirs);
  files.done(theirs);
  assert.deepEqual([saved, files.holds()], [["x.zip"], false]);
  assert.equal(files.told(theirs), "received, whole and checked; given to your browser to save");
  theirs.arrived = [file("a"), file("b")];
  files.hand(theirs);
  assert.deepEqual([saved.length, files.holds()], [1, true]);
  for (const { url } of theirs.arrived) {
    assert.equal(files.told(theirs), "received, whole and checked; not saved yet");
    files.keep(theirs, url);
  }
  assert.deepEqual([files.told(theirs), files.holds()], ["received, whole and checked; given to your browser to save", false]);
});
