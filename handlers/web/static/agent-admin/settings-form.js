// The form of the settings; what the operator does not allow is there to be seen, and cannot be chosen.

import { el } from "../shared/elements.js";
import { count, money } from "./formats.js";
import { APPROVERS, FOLLOW_UPS, noticeName } from "./settings-draft.js";

export class SettingsForm {
  #element;
  #buttons;

  /** `draft` is what the form begins with; `save` and `undo` are called as somebody presses these. */
  constructor({ bounds }, draft, { save, undo }) {
    this.#buttons = [
      el("button", { type: "submit", class: "main" }, "Save"),
      el("button", { type: "button", click: undo }, "Undo"),
    ];
    this.#element = el(
      "form",
      { submit: (event) => event.preventDefault() || save() },
      choices("approvers", "Who may approve what the agent wants to do", APPROVERS, bounds.approvers, draft.approvers),
      choices("followUps", "The agent answers without being mentioned, in a thread where it has answered", FOLLOW_UPS, bounds.followUps, draft.followUps),
      budget(bounds, draft.budget),
      notices(bounds.noticeTypes, draft.mutedNotices),
      el("div", { class: "choices" }, ...this.#buttons),
    );
  }

  get element() {
    return this.#element;
  }

  /** What the form says now. */
  get draft() {
    const given = new FormData(this.#element);
    const posted = given.getAll("notices");
    const types = [...this.#element.querySelectorAll("[name=notices]")].map(({ value }) => value);
    return {
      approvers: given.get("approvers") || null,
      followUps: given.get("followUps") || null,
      budget: { tokens: given.get("tokens") ? Number(given.get("tokens")) : null, cost: given.get("cost") || null },
      mutedNotices: types.filter((type) => !posted.includes(type)).sort(),
    };
  }

  /** Put the focus on what saves it. */
  focus() {
    this.#buttons[0].focus();
  }

  /** Show that it is being saved; a disabled button would lose the focus. */
  busy(is) {
    for (const button of this.#buttons) button.setAttribute("aria-disabled", String(is));
  }
}

function choices(name, title, names, allowed, chosen) {
  const operators = names[allowed.at(-1)];
  const radios = Object.entries(names).map(([value, text]) => radio(name, value, text, { chosen, allowed: allowed.includes(value) }));
  return el("fieldset", {}, el("legend", {}, title), radio(name, "", `As the operator has set: ${operators}`, { chosen, allowed: true }), ...radios);
}

function radio(name, value, text, { chosen, allowed }) {
  const input = el("input", { type: "radio", name, value });
  input.checked = (chosen ?? "") === value;
  // What was chosen within wider bounds may stay chosen.
  input.disabled = !allowed && !input.checked;
  return el("label", { class: "choice" }, input, el("span", {}, capital(text), !allowed && " – more than the operator allows"));
}

function budget({ budget: bounds, costsKnown }, { tokens, cost }) {
  const unpriced = !costsKnown && cost === null;
  const most = (bound, format) => (bound === null ? "The operator sets no limit." : `At most ${format(bound)}, which holds as well while nothing is set here.`);
  return el(
    "fieldset",
    {},
    el("legend", {}, "Budget of a calendar month"),
    field("tokens", "Tokens", tokens, { min: 1, step: 1, max: bounds.tokens }, most(bounds.tokens, count)),
    field(
      "cost",
      "Cost",
      cost,
      { min: 0.000001, step: "any", max: bounds.cost, disabled: unpriced ? "" : null },
      unpriced ? "The operator has set no prices, so nobody knows a cost." : most(bounds.cost, money),
    ),
  );
}

function field(name, title, value, limits, hint) {
  const input = el("input", { type: "number", name, "aria-describedby": `hint-${name}` });
  for (const [limit, at] of Object.entries(limits)) if (at !== null) input.setAttribute(limit, at);
  input.value = value ?? "";
  return el("div", { class: "field" }, el("label", {}, title, " ", input), el("span", { id: `hint-${name}`, class: "note" }, hint));
}

function notices(types, muted) {
  const boxes = types.map((type) => {
    const input = el("input", { type: "checkbox", name: "notices", value: type });
    input.checked = !muted.includes(type);
    return el("label", { class: "choice" }, input, el("span", {}, noticeName(type)));
  });
  return el("fieldset", {}, el("legend", {}, "Notices that are posted in the chat"), ...boxes);
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
