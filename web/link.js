// One connection to a server of the chat after another: the proof at its start, packets on it, and when it comes back.

import { answer } from "./keys.js";
import { packets } from "./packets.js";
import { Servers } from "./servers.js";

/** How long a connection may take, and an answer to a ping, in milliseconds. */
const PATIENCE = 10_000;

/** How long another server of the chat may take to answer. */
const OTHER_PATIENCE = 3000;

/** The longest pause before another server of the chat, so that it does not meet all people at once. */
const OTHER_PAUSE = 300;

/** How often to look whether the server still answers. */
const PING_EVERY = 30_000;

/** The first and the longest pause before another attempt. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;


export class Link {
  /** @type {WebSocket | undefined} */ socket;
  isUp = false;
  /** Whether to come back after a loss. */
  wanted = false;
  pause = FIRST_PAUSE;
  /** @type {number | undefined} */ retry;
  /** @type {number | undefined} */ deadline;
  ticket = "";
  /** Why the server ends the connection, in its words. */
  lastWords = "";
  servers = new Servers(location.host);
  /** Whether the server has taken the user in. */
  isSettled = false;

  /** @param {Ears} ears */
  constructor(ears) {
    this.ears = ears;
    setInterval(() => this.check(), PING_EVERY);
  }

  /** Of the present server, with its port. */
  get host() {
    return this.servers.at.host;
  }

  /** The address of a WebSocket of the present server.
   * @param {string} path */
  address(path) {
    return `${location.protocol === "https:" ? "wss" : "ws"}://${this.host}${path}`;
  }

  connect() {
    this.wanted = true;
    clearTimeout(this.retry);
    if (this.socket) return;
    const { servers } = this;
    const isOwn = servers.next() === servers.own;
    const socket = new WebSocket(this.address("/chat"), "lanchat");
    this.socket = socket;
    this.lastWords = "";
    this.expect(isOwn ? PATIENCE : OTHER_PATIENCE);
    socket.onmessage = (event) => {
      if (this.socket === socket) this.message(text(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost("");
    };
  }

  /** Ends the connection if nothing comes in time. */
  expect(patience = PATIENCE) {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.lost("the server does not answer"), patience);
  }

  /** @param {string} message */
  message(message) {
    clearTimeout(this.deadline);
    for (const packet of packets(message)) {
      if (packet.type === "challenge" && !this.isUp) this.prove(packet);
      else if (packet.type !== "pong" || packet.id !== "alive") {
        if (["error", "bye"].includes(packet.type) && !packet.id) this.lastWords = text(packet.msg);
        this.ears.packet(packet);
      }
    }
  }

  /** @param {Packet} challenge */
  async prove(challenge) {
    const { socket } = this;
    if (!this.servers.meets(text(challenge.id))) {
      this.lost("another server has that address now");
      return;
    }
    const proof = await answer(challenge, this.ticket).catch(() => undefined);
    if (this.socket !== socket) return;
    if (!proof) {
      this.wanted = false;
      this.lost("this browser cannot make a key for you, so the server cannot know you");
      return;
    }
    this.send(proof);
    this.isUp = true;
    this.ears.up(text(challenge.id));
  }

  /** @param {Packet} packet */
  send(packet) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(`${JSON.stringify(packet)}\n`);
    return true;
  }

  /** The server took the user in, so the next loss is a new one.
   * @param {Packet} welcome */
  settle(welcome) {
    this.pause = FIRST_PAUSE;
    this.isSettled = true;
    this.servers.welcome(welcome);
  }

  /** Whether a user who was in gets in again without doing anything, at another server or later; the link then sees to it.
   * @param {Packet} error */
  goesOn({ code, msg }) {
    const isElsewhere = code === "server_full" && this.servers.others.length > 0;
    if (!isElsewhere && code !== "rate_limited") return false;
    if (!isElsewhere) {
      // All servers have one pace.
      this.servers.left = [];
      this.pause = LONGEST_PAUSE;
    }
    this.lost(text(msg));
    return true;
  }

  /** @param {string} why */
  lost(why) {
    const { socket, servers } = this;
    clearTimeout(this.deadline);
    this.socket = undefined;
    this.isUp = false;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
    if (this.isSettled) servers.gone();
    this.isSettled = false;
    let pause = 0;
    if (this.wanted && servers.left.length) {
      pause = OTHER_PAUSE * (0.1 + Math.random() * 0.9);
    } else if (this.wanted) {
      servers.rounds += 1;
      pause = this.pause * (0.75 + Math.random() / 2);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    }
    if (this.wanted) {
      this.retry = setTimeout(() => this.connect(), pause);
    }
    this.ears.down(this.lastWords || why || "the connection to the server is lost", pause / 1000);
  }

  /** Whether the server still answers; a phone may have slept since. */
  check() {
    if (!this.wanted) return;
    if (!this.socket) this.connect();
    else if (this.isUp && this.send({ type: "ping", id: "alive" })) this.expect();
  }

  /** Leaves for good. */
  leave() {
    this.wanted = false;
    this.isSettled = false;
    clearTimeout(this.retry);
    clearTimeout(this.deadline);
    const { socket } = this;
    this.socket = undefined;
    this.isUp = false;
    if (!socket) return;
    socket.onclose = null;
    socket.close(1000);
  }
}

/** @param {any} data */
const text = (data) => (typeof data === "string" ? data : "");
