// A session with a server that the test plays.

import { Outbox } from "../outbox.js";
import { Session } from "../session.js";
import { Store } from "../store.js";

export function play() {
  const held = new Map();
  const disk = {
    all: async () => [...held.values()],
    put: async (entry) => void held.set(entry.id, entry),
    remove: async (id) => void held.delete(id),
  };
  const sent = [];
  const told = { refused: [], ended: [], back: [], arrived: [], welcomed: [], renamed: [] };
  const store = new Store();
  const session = new Session(store, new Outbox(disk), {
    refused: (packet) => told.refused.push(packet), ended: (packet) => told.ended.push(packet),
    giveBack: (spot, line) => told.back.push([spot.key, line]), arrived: (spot, message) => told.arrived.push(message.text),
    file: () => {}, welcome: (isOther) => told.welcomed.push(isOther), renamed: (name) => told.renamed.push(name),
  });
  session.link = { send: (packet) => sent.push(packet) > 0, connect: () => {}, settle: () => {} };
  session.askPeople = () => {};
  const take = (type) => sent.filter((packet) => (packet.type ?? "chat") === type);
  return { session, store, sent, told, take, held };
}

export const welcome = (more = {}) => ({
  type: "welcome", name: "alice", server: { id: "s", name: "desk" }, total: 1, log: "l1", seq: 0, msg: "welcome", ...more,
});
export const chat = (seq, msg, more = {}) => ({ from: { name: "bob" }, to: "all", msg, seq, ts: "2026-11-21T12:00:00.000Z", ...more });
export const end = (seq, more = {}) => ({ type: "history", seq, count: 0, msg: "no messages", ...more });

export function enter(played, more, seq = 0) {
  played.session.enter("alice");
  played.session.up();
  played.session.packet(welcome({ seq, ...more }));
  played.session.packet(end(seq));
}
