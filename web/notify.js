// Notifications of the system, and whether this browser shows any.

/** The most notifications: one in that time. */
const NOTIFY_EVERY = 3000;

let notified = 0;
/** Phones show notifications of installed pages only, and say so when one is made. */
let isBroken = false;

/** Whether the browser can ask the user, or else what it does. */
export function notifying() {
  if (!isSecureContext) return { canAsk: false, isOn: false, told: "Notifications need https, and this page came over http." };
  if (!("Notification" in window) || isBroken) return { canAsk: false, isOn: false, told: "This browser shows no notifications of pages." };
  const { permission } = Notification;
  if (permission === "granted") return { canAsk: false, isOn: true, told: "You get a notification of mentions and direct messages while you look elsewhere." };
  if (permission === "denied") return { canAsk: false, isOn: false, told: "The browser blocks notifications of this page. Its settings for this site change that." };
  return { canAsk: true, isOn: false, told: "Of mentions and direct messages, while you look elsewhere." };
}

/** Asks the user, and shows how a notification looks. */
export async function askToNotify() {
  if ((await Notification.requestPermission()) === "granted") notify("lanchat", "You will be notified like this.", "lanchat", () => {});
}

/** @param {string} title @param {string} body @param {string} tag @param {() => void} open */
export function notify(title, body, tag, open) {
  const now = Date.now();
  if (!isSecureContext || !("Notification" in window) || Notification.permission !== "granted" || now - notified < NOTIFY_EVERY) return;
  notified = now;
  try {
    const note = new Notification(title, { body, icon: "/icon.svg", tag });
    note.onclick = () => {
      window.focus();
      open();
      note.close();
    };
  } catch {
    isBroken = true;
  }
}
