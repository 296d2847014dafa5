// One connection to the server after another: the proof at its start, packets on it, and when it comes back.

import { answer } from "./keys.js";
import { packets } from "./packets.js";

/** How long a connection may take, and an answer to a ping, in milliseconds. */
const PATIENCE = 10_000;

/** How often to look whether the server still answers. */
const PING_EVERY = 30_000;

/** The first and the longest pause before another attempt. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** The address of a WebSocket of this server.
 * @param {string} path */
export const address = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;

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

  /** @param {Ears} ears */
  constructor(ears) {
    this.ears = ears;
    setInterval(() => this.check(), PING_EVERY);
  }

  connect() {
    this.wanted = true;
    clearTimeout(this.retry);
    if (this.socket) return;
    const socket = new WebSocket(address("/chat"), "lanchat");
    this.socket = socket;
    this.lastWords = "";
    this.expect();
    socket.onmessage = (event) => {
      if (this.socket === socket) this.message(text(event.data));
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost("");
    };
  }

  /** Ends the connection if nothing comes in time. */
  expect() {
    clearTimeout(this.deadline);
    this.deadline = setTimeout(() => this.lost("the server does not answer"), PATIENCE);
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

  /** The server took the user in, so the next loss is a new one. */
  settle() {
    this.pause = FIRST_PAUSE;
  }

  /** @param {string} why */
  lost(why) {
    const { socket } = this;
    clearTimeout(this.deadline);
    this.socket = undefined;
    this.isUp = false;
    if (socket) {
      socket.onclose = null;
      socket.close();
    }
    const pause = this.wanted ? this.pause * (0.75 + Math.random() / 2) : 0;
    if (this.wanted) {
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
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
