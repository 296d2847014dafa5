import assert from "node:assert/strict";
import test from "node:test";
import { chat, enter, play } from "./played.js";

/** A page whose server has these messages in the lobby; others have the numbers between. */
function stocked(numbers) {
  const played = play();
  enter(played);
  played.session.past.busy.clear();
  played.session.past.take(numbers.slice(-50).map((seq) => chat(seq, `m${seq}`)), played.store.current);
  played.store.current.isLoaded = true;
  played.session.ask = async ({ before, limit }) => {
    const older = numbers.filter((seq) => !before || seq < before);
    const packets = older.slice(-limit).map((seq) => chat(seq, `m${seq}`, { history: true }));
    return { packets, end: { seq: packets[0]?.seq, more: older.length > limit } };
  };
  return played;
}

const held = (spot) => spot.messages.filter(({ seq }) => seq).map(({ seq }) => seq);

for (const [what, step] of [["busy", 1], ["quiet", 37]]) {
  test(`a found message has its neighbours, and a gap that closes, in a ${what} place`, async () => {
    const numbers = Array.from({ length: 1000 }, (_, n) => (n + 1) * step);
    const { session, store } = stocked(numbers);
    const spot = store.current;
    const of = 300 * step;
    await session.past.around(spot, of);
    const near = held(spot).filter((seq) => seq < spot.gap.before);
    assert.ok(near.includes(of) && near[0] <= of - 49 * step && near.at(-1) >= of + 20 * step, String(near));
    // Without a hole.
    assert.deepEqual(near, numbers.filter((seq) => seq >= near[0] && seq <= near.at(-1)));
    assert.ok(near.at(-1) <= spot.gap.after && spot.gap.before === 951 * step);
    for (let tries = 0; spot.gap && tries < 50; tries += 1) await session.past.newer(spot);
    assert.equal(spot.gap, undefined);
    assert.deepEqual(held(spot), numbers.filter((seq) => seq >= near[0]));
  });
}

test("a second found message leaves one gap", async () => {
  const numbers = Array.from({ length: 2000 }, (_, n) => n + 1);
  const { session, store } = stocked(numbers);
  const spot = store.current;
  await session.past.around(spot, 1000);
  await session.past.around(spot, 200);
  assert.ok(spot.bySeq.has(200) && !spot.bySeq.has(1000) && spot.gap.before === 1951);
  await session.past.around(spot, 1960);
  assert.ok(spot.bySeq.has(200), "what is here already moves nothing");
});

test("what the server does not show has its reason instead of a beginning", async () => {
  const { session, store } = stocked([1]);
  const spot = store.spot("@guest");
  session.ask = async () => Promise.reject({ type: "error", code: "no_such_user", msg: "the server does not store these" });
  await session.past.older(spot);
  assert.deepEqual([spot.isWhole, spot.refusal], [true, "the server does not store these"]);
  const other = store.spot("@bob");
  session.ask = async () => Promise.reject({ type: "error", code: "lost", msg: "not connected" });
  await session.past.older(other);
  assert.deepEqual([other.isWhole, other.refusal], [false, undefined]);
});

test("a conversation's old messages stand in it, whatever the names were", async () => {
  const { session, store } = stocked([1]);
  const spot = store.spot("@robert");
  const packets = [chat(1, "as bob", { to: "alice", history: true }), chat(2, "to bob", { from: { name: "alice" }, to: "bob", history: true })];
  session.ask = async () => ({ packets, end: { seq: 1 } });
  await session.past.older(spot);
  assert.deepEqual(spot.messages.map(({ text, mine }) => [text, mine]), [["as bob", false], ["to bob", true]]);
  assert.equal(store.spots.has("@bob"), false);
});
