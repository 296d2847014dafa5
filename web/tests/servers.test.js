import assert from "node:assert/strict";
import test from "node:test";
import { Servers } from "../servers.js";

const three = [
  { node: "a", address: "10.0.0.1", port: 7667 }, { node: "b", address: "10.0.0.2", port: 7667 }, { node: "c", address: "10.0.0.3", port: 7668 },
];
const welcome = (node, more = {}) => ({ node, servers: three, server: { id: "s" }, ...more });

function at() {
  const servers = new Servers("desk.local:7667");
  servers.next();
  servers.welcome(welcome("a"));
  return servers;
}

test("the others are tried once each, then the one where the user was, by the address that the page is from", () => {
  const servers = at();
  assert.deepEqual(servers.others, [{ node: "b", host: "10.0.0.2:7667" }, { node: "c", host: "10.0.0.3:7668" }]);
  servers.gone();
  const tried = [servers.next(), servers.next()].map(({ host }) => host);
  assert.deepEqual(tried.sort(), ["10.0.0.2:7667", "10.0.0.3:7668"]);
  assert.equal(servers.next().host, "desk.local:7667");
  assert.deepEqual([servers.next(), servers.next()].map(({ node }) => node).sort(), ["b", "c"]);
});

test("at another server, the page's own one is one of the others", () => {
  const servers = at();
  servers.gone();
  while (servers.next().node !== "b");
  assert.deepEqual(servers.strangers.map(({ node }) => node), ["b", "c"]);
  assert.ok(!servers.meets("x") && servers.meets("s"), "only a server of the same chat takes the user");
  assert.deepEqual(servers.strangers.map(({ node }) => node), ["c"]);
  servers.welcome(welcome("b"));
  servers.gone();
  const tried = [servers.next(), servers.next()].map(({ host }) => host);
  assert.deepEqual(tried.sort(), ["10.0.0.3:7668", "desk.local:7667"]);
  assert.equal(servers.next().host, "10.0.0.2:7667");
});

test("a page that starts again knows the others, also if it was elsewhere last", () => {
  const servers = at();
  servers.gone();
  while (servers.next().node !== "c");
  servers.welcome(welcome("c"));
  const again = new Servers("desk.local:7667");
  again.welcome(JSON.parse(JSON.stringify(servers.saved)));
  assert.equal(again.next().host, "desk.local:7667");
  assert.deepEqual([again.others.map(({ node }) => node), again.id], [["b", "c"], "s"]);
});

test("a single server has no others, and a list with nonsense has only its valid entries", () => {
  const alone = new Servers("desk:7667");
  alone.next();
  alone.welcome({ server: { id: "s" }, servers: three });
  alone.gone();
  assert.deepEqual([alone.others, alone.next().host, alone.next().host], [[], "desk:7667", "desk:7667"]);
  const servers = at();
  const wrong = [null, 7, "b", { node: "B", address: "10.0.0.2", port: 1 }, { node: "d", address: "evil.example", port: 1 },
    { node: "e", address: "fd00::1", port: 1 }, { node: "f", address: "10.0.0.2", port: 70000 }];
  servers.welcome(welcome("a", { servers: [...wrong, three[1]] }));
  assert.deepEqual(servers.others, [{ node: "b", host: "10.0.0.2:7667" }]);
  servers.welcome(welcome("a", { servers: 7 }));
  assert.deepEqual(servers.others, []);
});
