// Keeps the keyboard's focus: whatever the page draws again, hides or removes, the focus goes to what took that place,
// to its neighbour, or to where the user writes. A browser alone would drop it, and the user would start from the top.

const FOCUSABLE = "button, a[href], input:not([type=file]), textarea, [tabindex]";

/** Parts of the page that have no neighbours. */
const REGIONS = "#main, #chat, #side, #people, dialog, body";

/** @param {Element} node */
const isUsable = (node) => node.getClientRects().length > 0 && !node.closest("[inert]");

/** What tells an element from its neighbours, also after it was drawn again.
 * @param {Element | undefined} node */
const mark = (node) => {
  const { dataset, id } = /** @type {HTMLElement} */ (node ?? document.body);
  return id || dataset.key || dataset.n || node?.getAttribute("aria-label") || (node?.matches("button, a") ? node.textContent : "") || "";
};

/** @typedef {{parent: Element, at: number, mark: string}} Step */

/** The way from an element up to its region.
 * @param {Element} node @returns {Step[]} */
function trail(node) {
  /** @type {Step[]} */
  const steps = [];
  let at = node;
  while (at.parentElement && !at.matches(REGIONS)) {
    steps.push({ parent: at.parentElement, at: [...at.parentElement.children].indexOf(at), mark: mark(at) });
    at = at.parentElement;
  }
  return steps;
}

/** @param {Element | undefined} node @returns {HTMLElement | undefined} */
function focusable(node) {
  if (!node || !isUsable(node)) return undefined;
  const all = [...(node.matches(FOCUSABLE) ? [node] : []), ...node.querySelectorAll(FOCUSABLE)];
  return /** @type {HTMLElement | undefined} */ (all.find(isUsable));
}

/** The element that stands where that way led.
 * @param {Step[]} steps @returns {HTMLElement | undefined} */
function successor(steps) {
  const top = steps.findIndex(({ parent }) => isUsable(parent));
  for (const [place, step] of top < 0 ? [] : [...steps.entries()].slice(top)) {
    if (step.parent.matches(REGIONS)) break;
    const rows = [...step.parent.children];
    let same = step.mark ? rows.find((row) => mark(row) === step.mark) : undefined;
    // Inside what was drawn again, the same button as before.
    for (const inner of same ? steps.slice(0, place).reverse() : []) {
      same = [...(same?.children ?? [])].find((row) => inner.mark && mark(row) === inner.mark) ?? same?.children[inner.at] ?? same;
    }
    const found = [same, rows[step.at], rows[step.at - 1], ...rows].map(focusable).find(Boolean);
    if (found) return found;
  }
  return undefined;
}

/** Watches over the focus from now on; without a neighbour, `fallback` has it.
 * @param {() => HTMLElement} fallback */
export function keepFocus(fallback) {
  /** @type {Element | undefined} */
  let held;
  /** @type {Step[]} */
  let steps = [];
  const note = () => {
    const { activeElement } = document;
    if (!activeElement || activeElement === document.body) return;
    held = activeElement;
    steps = trail(activeElement);
  };
  document.addEventListener("focusin", note);
  const isNowhere = () => !document.activeElement || document.activeElement === document.body;
  // Later, because a browser tells of a lost focus before it removes the element. Who left it wants no focus.
  document.addEventListener("focusout", () => setTimeout(() => {
    if (held && isNowhere() && isUsable(held)) held = undefined;
  }));
  new MutationObserver((changes) => {
    if (!held) return;
    if (document.activeElement === held && isUsable(held)) {
      steps = trail(held);
      return;
    }
    if (!isNowhere() && isUsable(/** @type {Element} */ (document.activeElement))) return;
    const own = /** @type {HTMLElement} */ (held);
    // Between two elements the focus is nowhere, too: then the user moved it, not this change.
    const isMoved = () => changes.some(({ removedNodes }) => [...removedNodes].some((node) => node.contains(own)));
    if (!isUsable(own)) (successor(steps) ?? fallback()).focus({ preventScroll: true });
    else if (isMoved()) own.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "inert", "open"] });
}
