import assert from "node:assert/strict";
import test from "node:test";
import { Ids, bytes, commands, firstWord, inPage, named, packets, place, placeOf, readLine, search, size, target } from "../packets.js";

const HELP = "/msg NAME|#ROOM TEXT        send TEXT to a user\n/whois NAME                 show a user's address\n/time  show the server's time";

test("a message holds several packets, and what is not an object is none", () => {
  const found = packets('{"type":"pong"}\n[1]\nnull\nwhat?\n{"seq":1}\n');
  assert.deepEqual(found, [{ type: "pong" }, { seq: 1 }]);
});

test("a message belongs to its room, to the lobby or to the other user", () => {
  const key = (from, to) => placeOf({ from: { name: from }, to }, "alice").key;
  assert.equal(key("bob", "all"), "#lobby");
  assert.equal(key("bob", "Broadcast"), "#lobby");
  assert.equal(key("bob", "#Games"), "#games");
  assert.equal(key("bob", "alice"), "@bob");
  assert.equal(key("alice", "Bob"), "@bob");
  assert.equal(key("bob", "192.168.1.20"), "@bob");
});

test("a place has one name on the wire", () => {
  assert.equal(target(place("#lobby")), "all");
  assert.equal(target(place("#Games")), "#Games");
  assert.equal(target(place("@bob")), "bob");
  assert.deepEqual(named(place("all")), {});
  assert.deepEqual(named(place("#games")), { room: "#games" });
  assert.deepEqual(named(place("@bob")), { name: "bob" });
});

test("ids differ in each run", () => {
  const [one, other] = [new Ids(), new Ids()];
  assert.notEqual(one.next(), other.next());
  assert.ok(one.next().length <= 64);
});

test("the commands come from the server, and those of the page with them", () => {
  const known = commands(HELP);
  const names = known.map((command) => command.names[0]);
  assert.ok(["msg", "whois", "time", "query", "edit"].every((name) => names.includes(name)));
  const msg = known.find((command) => command.names[0] === "msg");
  assert.deepEqual(msg, { names: ["msg"], usage: "NAME|#ROOM TEXT", help: "send TEXT to a user" });
});

test("a line is a text, a command, or a path, which is a text", () => {
  const known = commands(HELP);
  const read = (line) => readLine(line, known);
  assert.deepEqual(read("hello /users"), { text: "hello /users" });
  assert.deepEqual(read("//etc/hosts"), { text: "/etc/hosts" });
  assert.deepEqual(read("/etc/passwd is there"), { text: "/etc/passwd is there" });
  assert.deepEqual(read("/Users/bob/notes.txt"), { text: "/Users/bob/notes.txt" });
  assert.deepEqual(read("/foo/time"), { text: "/foo/time" });
  assert.deepEqual(read("/time/foo"), { command: "time/foo", rest: "" });
  for (const name of ["constructor", "__proto__", "toString"]) {
    assert.deepEqual(read(`/${name} x`), { command: name.toLowerCase(), rest: "x" });
    assert.deepEqual(read(`/${name}/x`), { text: `/${name}/x` });
  }
  assert.deepEqual(read("/dev: broken"), { text: "/dev: broken" });
  assert.deepEqual(read("/M bob  see  you"), { command: "msg", rest: "bob  see  you" });
  assert.deepEqual(read("/msg:bob hi"), { command: "msg:bob", rest: "hi" });
  assert.deepEqual(read("/tme"), { command: "tme", rest: "" });
  assert.deepEqual(read("/var\nlog"), { text: "/var\nlog" });
  assert.deepEqual(read("/msg bob one\ntwo"), { command: "msg", rest: "bob one\ntwo" });
});

test("a first word and what comes after it", () => {
  assert.deepEqual(firstWord("bob  one two"), ["bob", "one two"]);
  assert.deepEqual(firstWord(""), ["", ""]);
});

test("a search has words and filters", () => {
  assert.deepEqual(search('tea "at five" from:@bob in:#games after:7d'), {
    msg: 'tea "at five"', name: "bob", room: "#games", since: "7d",
  });
});

test("sizes are short, and bytes are those of UTF-8", () => {
  assert.equal(size(1), "1 byte");
  const shown = [1023, 1024, 482_113, 1_500_000, 1_048_000, 10 * 2 ** 30].map(size);
  assert.deepEqual(shown, ["1023 bytes", "1.0 KiB", "471 KiB", "1.4 MiB", "1.0 MiB", "10 GiB"]);
  assert.equal(bytes("ä€"), 5);
});

test("a suggestion of the server's that the page does not have says what to do instead", () => {
  assert.match(inPage("there is no command /last; did you mean /history? (/help lists them)"), /\/history is not needed here: scroll up/);
  for (const msg of ["there is no command /nik; did you mean /nick? (/help lists them)", "did you mean /constructor?", ""]) assert.equal(inPage(msg), msg);
});
