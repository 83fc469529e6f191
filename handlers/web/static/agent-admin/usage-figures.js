// Figures of usage in words.

import { UNKNOWN, count, money } from "./formats.js";

const NONE = "—";

/** All tokens together; of questions that are all unknown, nothing is known. */
export function tokensOf({ promptTokens, completionTokens, unknownTokens }) {
  const known = promptTokens + completionTokens;
  return known || !unknownTokens ? count(known) : UNKNOWN;
}

/** The cost; a dash where nothing was asked that could have had one. */
export function costOf({ cost, unknownCost }) {
  if (cost === null) return unknownCost ? UNKNOWN : NONE;
  return money(cost);
}
