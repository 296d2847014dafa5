// Who the user is. Over https: a key that the browser made and that no script can read, proved by a signature. Over
// http there is no such key: a random token tells the server that the same page returns, and owns nothing.

import { keepKey, loadKey, recall, remember } from "./disk.js";

/** Whether this browser can have a key here. On the server's own machine, http is secure for browsers, too, but the server
 * takes no key there. */
export const hasKeys = globalThis.isSecureContext === true && globalThis.crypto?.subtle !== undefined && location.protocol !== "http:";

/** @param {ArrayBuffer} bytes */
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** @type {Promise<CryptoKeyPair> | undefined} */
let pair;

/** Whether the browser lets this page keep nothing, so that the key is gone with the page. */
export let isLoose = false;

/** @returns {Promise<CryptoKeyPair>} */
async function made() {
  const fresh = () => crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
  try {
    return (await loadKey("user")) ?? (await keepKey("user", await fresh()));
  } catch {
    isLoose = true;
    return fresh();
  }
}

/** What the user is told of how long the name stays theirs. */
export const keeping = () => {
  const only = "so your name is yours only for this visit";
  if (!hasKeys) return "This page cannot keep a key, so your name stays yours only while you are here.";
  if (isLoose) return `This browser lets the page store nothing, ${only}. To keep it, allow cookies for this address and reload.`;
  return "Your name belongs to a key that this browser keeps. Some browsers forget it when you stay away for a week.";
};

let ownToken = "";

/** The token of a page without a key.
 * @returns {string} */
export function token() {
  const known = recall("token") ?? ownToken;
  if (typeof known === "string" && known) return known;
  const random = crypto.getRandomValues(new Uint8Array(16));
  const made = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // Also without a storage, the same page returns.
  ownToken = made;
  remember("token", made);
  return made;
}

/**
 * The answer to the server's challenge: see "Over WebSocket" in PROTOCOL.md.
 * @param {{id?: string, nonce?: string}} challenge
 * @param {string} ticket
 */
export async function answer(challenge, ticket) {
  const invitation = ticket ? { ticket } : {};
  if (!hasKeys) return { type: "guest", ...invitation };
  pair ??= made();
  const { privateKey, publicKey } = await pair;
  const said = `lanchat/web/1\n${challenge.id}\n${challenge.nonce}\n${location.origin}`;
  const way = { name: "ECDSA", hash: "SHA-256" };
  const sig = await crypto.subtle.sign(way, privateKey, new TextEncoder().encode(said));
  const key = await crypto.subtle.exportKey("spki", publicKey);
  return { type: "proof", key: base64(key), sig: base64(sig), ...invitation };
}
