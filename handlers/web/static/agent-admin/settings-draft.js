// What an administrator is about to save, and how it differs from what is stored. Nothing of the page is needed for this.

import { count, money } from "./formats.js";

export const APPROVERS = { __proto__: null, admins: "administrators", members: "every member but the one who asked", asker: "every member, also the one who asked" };
export const FOLLOW_UPS = { __proto__: null, never: "never", alone: "while one person alone writes in the thread", always: "always" };

const NOTICES = {
  __proto__: null,
  "cc.equa.shares.issued": "Shares were issued",
  "cc.equa.shares.transferred": "Shares were transferred",
  "cc.equa.document.uploaded": "A document was added",
  "cc.equa.member.added": "Somebody joined",
  "cc.equa.member.removed": "Somebody left",
  "cc.equa.announcement": "Announcements",
};

const OPERATOR = "what the operator has set";

export const noticeName = (type) => NOTICES[type] ?? type;

/** The part of the stored settings that can be changed. */
export function draftOf({ approvers, followUps, budget, mutedNotices }) {
  return { approvers, followUps, budget: { tokens: budget.tokens, cost: budget.cost }, mutedNotices: [...mutedNotices].sort() };
}

export function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Each setting of which the stored and the drafted value differ, in words. */
export function differences(stored, draft) {
  const theirs = inWords(draftOf(stored));
  const mine = inWords(draft);
  return Object.keys(theirs)
    .filter((name) => theirs[name] !== mine[name])
    .map((name) => ({ name, theirs: theirs[name], mine: mine[name] }));
}

function inWords({ approvers, followUps, budget, mutedNotices }) {
  return {
    "Who approves": APPROVERS[approvers] ?? OPERATOR,
    "Follow-ups": FOLLOW_UPS[followUps] ?? OPERATOR,
    "Tokens a month": budget.tokens === null ? OPERATOR : count(budget.tokens),
    "Cost a month": budget.cost === null ? OPERATOR : money(budget.cost),
    "Notices that are not posted": mutedNotices.map(noticeName).join(", ") || "none",
  };
}
