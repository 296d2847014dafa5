// What the browser keeps for this page: the outbox and the key in IndexedDB, small things in localStorage.

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @returns {Promise<IDBDatabase>} */
function open() {
  const request = indexedDB.open("lanchat", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("outbox", { keyPath: "id" });
    request.result.createObjectStore("keys");
  };
  return done(request);
}

/** @type {Promise<IDBDatabase> | undefined} */
let database;

/** @param {"outbox" | "keys"} name @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest} work */
async function within(name, mode, work) {
  database ??= open();
  const transaction = (await database).transaction(name, mode);
  const result = done(work(transaction.objectStore(name)));
  const whole = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  whole.catch(() => {});
  const value = await result;
  // Only then it is on the disk.
  await whole;
  return value;
}

/** @type {Disk} */
export const outboxDisk = {
  all: () => within("outbox", "readonly", (store) => store.getAll()),
  put: (entry) => within("outbox", "readwrite", (store) => store.put(entry)),
  remove: (id) => within("outbox", "readwrite", (store) => store.delete(id)),
};

/** @param {string} name @returns {Promise<CryptoKeyPair | undefined>} */
export const loadKey = (name) => within("keys", "readonly", (store) => store.get(name));

/** Keeps a key unless there is one; the one that is kept then counts.
 * @param {string} name @param {CryptoKeyPair} pair */
export async function keepKey(name, pair) {
  await within("keys", "readwrite", (store) => store.add(pair, name)).catch(() => {});
  return (await loadKey(name)) ?? pair;
}

/** What a tab keeps for itself, over reloads. */
export const ofTab = () => sessionStorage;

/** @param {string} name @returns {any} */
export function recall(name, place = () => localStorage) {
  try {
    return JSON.parse(place().getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** Whether that was kept; if the storage is full or switched off, the page later starts as for the first time.
 * @param {string} name @param {any} value */
export function remember(name, value, place = () => localStorage) {
  try {
    place().setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
