// The entries of the audit in words. What a newer bridge calls otherwise is shown by its code.

import { el } from "../shared/elements.js";
import { noticeName } from "./settings-draft.js";

export const KINDS = {
  __proto__: null,
  approval_decided: "Approvals that were decided",
  approval_refused: "Decisions of people who may not decide",
  approval_ended: "Approvals that nobody decided here",
  agent_question_ended: "Questions of the agent",
  answer_stopped: "Answers that were stopped",
  question_refused: "Questions that were refused",
  budget_warned: "Warnings of the budget",
  budget_hit: "Budgets that were used up",
  settings_changed: "Settings that were changed",
};

const SENTENCES = {
  __proto__: null,
  approval_decided: { approved: "Approved what the agent wanted to do", denied: "Denied what the agent wanted to do" },
  approval_refused: {
    not_allowed: "Tried to decide what only others may decide",
    outsider: "Tried to decide in an organization of others",
  },
  approval_ended: {
    expired: "Nobody decided in time about what the agent wanted to do",
    withdrawn: "The agent no longer wanted to do what was to be decided",
    elsewhere: "What the agent wanted to do was decided elsewhere",
  },
  agent_question_ended: {
    answered: "Answered a question of the agent",
    cancelled: "Did not want to answer a question of the agent",
    expired: "Nobody answered a question of the agent in time",
    withdrawn: "The agent no longer waited for an answer to its question",
  },
  answer_stopped: { stopped: "Stopped an answer" },
  question_refused: {
    "": "A question was refused",
    too_many_questions: "Asked more than the limit allows",
    left_organization: "Asked after leaving the organization",
    budget_reached: "Asked when the month's budget was used up",
  },
  budget_warned: { used: "Most of the month's budget was used" },
  budget_hit: { used: "The month's budget was used up" },
  settings_changed: { changed: "Changed the settings" },
};

const ROLES = { __proto__: null, admin: "administrator", member: "member", asker: "who had asked", none: "not a member" };
const WAYS = { __proto__: null, button: "by a button", reaction: "by a reaction", page: "on this page", thread: "in the thread", api: "by the API", cli: "by the command line", bridge: "" };

export function what({ kind, outcome }) {
  const sentences = SENTENCES[kind] ?? {};
  if (Object.hasOwn(sentences, outcome)) return sentences[outcome];
  return `${sentences[""] ?? spaced(kind)}: ${spaced(outcome)}`;
}

/** By which way, and the codes and numbers that belong to it. */
export function where({ via, details }) {
  const names = new Set(Object.keys(details).map((name) => name.replace(/\.(from|to)$/, "")));
  const facts = [...names].map((name) => fact(details, name)).filter(Boolean);
  return el("span", { class: "note" }, ` ${[WAYS[via] ?? via, ...facts].filter(Boolean).join(" · ")}`);
}

function fact(details, name) {
  const words = (value) => [].concat(value ?? []).map(noticeName).join(", ");
  if (Object.hasOwn(details, name)) return words(details[name]) && `${spaced(name)}: ${words(details[name])}`;
  return `${spaced(name)}: ${words(details[`${name}.from`]) || "—"} → ${words(details[`${name}.to`]) || "—"}`;
}

export function who({ username, personId, role }) {
  const name = username ? `@${username}` : personId && `Person ${personId}`;
  return [name, ROLES[role]].filter(Boolean).join(", ") || "—";
}

function spaced(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll(/[_.]/g, " ");
}
