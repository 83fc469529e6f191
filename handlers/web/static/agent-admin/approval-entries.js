// An approval as an entry of a list: what the agent wants to do, and the buttons or what has become of it.

import { el } from "../shared/elements.js";
import { moment } from "./formats.js";

const SEVERITIES = { __proto__: null, info: "Info", warning: "Warning", critical: "Critical" };
const STATES = {
  __proto__: null,
  approved: "Approved once",
  denied: "Denied",
  expired: "Nobody decided in time",
  withdrawn: "The agent no longer wants this",
  elsewhere: "Decided elsewhere",
};
const BUTTONS = { approve: "Approve once", deny: "Deny" };

/** An approval that waits; `decide` is called with `approve` or `deny`. */
export function waiting(approval, decide) {
  const buttons = approval.choices.map((decision) =>
    el("button", { type: "button", class: decision === "approve" ? "main" : "", click: () => decide(decision), "aria-label": `${BUTTONS[decision]}: ${approval.title}` }, BUTTONS[decision]),
  );
  return el("li", {}, ...about(approval, [["Expires", moment(approval.expiresAt)]]), el("div", { class: "choices" }, ...buttons));
}

/** An approval that is over. */
export function ended(approval) {
  return el("li", {}, ...about(approval, [["Outcome", `${became(approval)}, ${moment(approval.endedAt)}`]]));
}

function became({ state, outcome, decidedBy }) {
  const what = `${STATES[state] ?? state}${outcome ? `: ${outcome}` : ""}`;
  return decidedBy ? `${what} by ${nameOf(decidedBy)}` : what;
}

function nameOf({ username, name }) {
  return username ? `@${username}` : name || "somebody whose account is gone";
}

function about({ title, description, tool, severity, askedBy, isDirect, link }, more) {
  const place = isDirect ? " in a direct message" : "";
  const asker = askedBy ? `@${askedBy}${place}` : place && `somebody${place}`;
  const post = link && el("a", { href: link, target: "_blank", rel: "noopener" }, "Open the post in the chat");
  const facts = [["Tool", tool], ["Severity", SEVERITIES[severity] ?? severity], ["Asked by", asker], ...more, ["Post", post]];
  const lines = facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
  return [el("h3", {}, title), description && el("p", { class: "note described" }, description), el("dl", { class: "facts" }, ...lines)].filter(Boolean);
}
