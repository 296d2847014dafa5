import assert from "node:assert/strict";
import test from "node:test";
import { Outbox } from "../outbox.js";

const entry = (n, server = "s") => ({ id: `x-${n}`, n, server, to: "all", msg: `text ${n}`, ts: n });

/** A disk that a crash leaves as it is. */
const disk = () => {
  const held = new Map();
  return {
    all: async () => [...held.values()],
    put: async (entry) => void held.set(entry.id, entry),
    remove: async (id) => void held.delete(id),
  };
};

test("a message waits until its receipt, and goes again over the next connection", async () => {
  const outbox = new Outbox(disk());
  await outbox.add(entry(1));
  await outbox.add(entry(2));
  assert.deepEqual(outbox.take("s").map(({ id }) => id), ["x-1", "x-2"]);
  assert.deepEqual(outbox.take("s"), [], "a connection takes each once");
  outbox.done("x-1");
  outbox.rewind();
  assert.deepEqual(outbox.take("s").map(({ id }) => id), ["x-2"]);
});

test("another run of the page has what was not confirmed, in order, under the same ids", async () => {
  const held = disk();
  const first = new Outbox(held);
  for (const n of [1, 2, 3]) await first.add(entry(n));
  first.take("s");
  first.done("x-2");
  const second = new Outbox(held);
  await second.load();
  assert.deepEqual(second.take("s").map(({ id }) => id), ["x-1", "x-3"]);
});

test("a broken disk loses nothing of this run", async () => {
  const broken = async () => Promise.reject(new Error("no disk"));
  const outbox = new Outbox({ all: broken, put: broken, remove: broken });
  assert.ok(await outbox.add(entry(1)));
  assert.equal(outbox.take("s").length, 1);
  assert.ok(outbox.done("x-1"));
});

test("a full outbox refuses, and says so", async () => {
  const outbox = new Outbox(disk());
  for (let n = 0; n < 1000; n += 1) assert.ok(await outbox.add(entry(n)));
  assert.equal(await outbox.add(entry(1000)), false);
  const long = new Outbox(disk());
  assert.equal(await long.add({ ...entry(1), msg: "x".repeat(2 * 1024 * 1024) }), false);
});

test("messages for another server's users do not go to this one", async () => {
  const outbox = new Outbox(disk());
  await outbox.add(entry(1, "other"));
  await outbox.add(entry(2));
  assert.deepEqual(outbox.take("s").map(({ id }) => id), ["x-2"]);
  assert.deepEqual(outbox.foreign("s").map(({ id }) => id), ["x-1"]);
  assert.equal(outbox.entries.length, 1);
});

test("what no disk took is known to be in memory only, until the server has it", async () => {
  const full = { ...disk(), put: async () => Promise.reject(new Error("no space")) };
  const outbox = new Outbox(full);
  await outbox.add(entry(1));
  assert.deepEqual([outbox.entries.length, outbox.loose.size], [1, 1]);
  outbox.done("x-1");
  assert.equal(outbox.loose.size, 0);
});

test("messages go in the order in which they were typed, whatever the clock says", async () => {
  const held = disk();
  const first = new Outbox(held);
  await first.add({ ...entry(1), ts: 1_000_000 });
  await first.add({ ...entry(2), ts: 900_000 });
  await first.load();
  assert.deepEqual(first.entries.map(({ id }) => id), ["x-1", "x-2"]);
  const second = new Outbox(held);
  await second.load();
  await second.add({ ...entry(0), ts: 800_000 });
  const third = new Outbox(held);
  await third.load();
  assert.deepEqual(third.take("s").map(({ id }) => id), ["x-1", "x-2", "x-0"]);
});
