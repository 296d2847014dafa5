// What the pages of this browser keep in one storage. Each page keeps its own drafts, and the last one to close must not
// overwrite those of the others. Pure.

/** @typedef {Record<string, any>} State  of a page: see `saved` in store.js */

export class Kept {
  /** The drafts as this page last kept them, by place.
   * @type {Map<string, string>} */
  own = new Map();

  /** What a page begins with: what this tab kept, if it is a reload, and the drafts of tabs that were closed.
   * @param {any} shared @param {any} ofTab @returns {State | undefined} */
  first(shared, ofTab) {
    const state = this.joined(shared ?? undefined, ofTab ?? undefined);
    this.own = new Map(list(state ?? {}).map((spot) => [keyOf(spot), spot.draft ?? ""]));
    return state;
  }

  /** @param {State | undefined} shared @param {State | undefined} ofTab */
  joined(shared, ofTab) {
    if (!ofTab || !shared || shared.server !== ofTab.server) return ofTab ?? shared;
    const left = drafts(shared);
    const spots = list(ofTab).map((spot) => ({ ...spot, draft: spot.draft || left.get(keyOf(spot))?.draft || "" }));
    const known = new Set(spots.map(keyOf));
    return { ...ofTab, spots: [...spots, ...[...left.values()].filter((spot) => !known.has(keyOf(spot)))] };
  }

  /** This page's state, with the drafts of other pages where this one has changed nothing since.
   * @param {State} state @param {any} shared @returns {State} */
  merged(state, shared) {
    const isSame = shared?.server === state.server;
    const theirs = isSame ? drafts(shared) : new Map();
    const spots = list(state).map((spot) => {
      const key = keyOf(spot);
      const [before, there] = [this.own.get(key) ?? "", theirs.get(key)?.draft ?? ""];
      theirs.delete(key);
      const isTheirs = isSame && (spot.draft === before || (!spot.draft && there !== before));
      return isTheirs ? { ...spot, draft: there } : spot;
    });
    const others = [...theirs].filter(([key, { draft }]) => draft !== this.own.get(key)).map(([, spot]) => spot);
    this.own = new Map(list(state).map((spot) => [keyOf(spot), spot.draft]));
    return { ...state, spots: [...spots, ...others] };
  }
}

/** @param {State} state @returns {any[]} */
const list = (state) => (Array.isArray(state.spots) ? state.spots : []);

/** @param {{name: string}} spot */
const keyOf = ({ name }) => String(name).toLowerCase();

/** @param {State} state @returns {Map<string, any>} */
const drafts = (state) => new Map(list(state).filter(({ draft }) => draft).map((spot) => [keyOf(spot), spot]));
