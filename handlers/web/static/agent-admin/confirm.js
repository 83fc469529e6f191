// The question before a decision, which nobody can take back.

import { el } from "../shared/elements.js";

const QUESTIONS = {
  approve: ["Approve this once?", "The agent does it right away. It asks again the next time."],
  deny: ["Deny this?", "The agent is told that it may not do this."],
};
const ACTS = { approve: "Approve once", deny: "Deny" };

/** Ask in a dialog; return whether somebody said yes. It closes by itself once the signal is aborted. */
export function confirmed(root, { title }, decision, signal) {
  const [question, consequence] = QUESTIONS[decision];
  const heading = el("h2", { id: "question" }, question);
  const yes = el("button", { type: "button", class: "main", click: () => dialog.close("yes") }, ACTS[decision]);
  const no = el("button", { type: "button", click: () => dialog.close() }, "Back");
  const dialog = el("dialog", { "aria-labelledby": "question" }, heading, el("p", {}, title), el("p", { class: "note" }, consequence), el("div", { class: "choices" }, yes, no));
  root.append(dialog);
  dialog.showModal();
  no.focus();
  signal.addEventListener("abort", () => dialog.close());
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
