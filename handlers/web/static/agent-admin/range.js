// Of which days the usage is shown: whole days in UTC, as the bridge counts them.

import { el } from "../shared/elements.js";

const ONE_DAY = 86_400_000; // milliseconds

const RANGES = {
  7: "Last 7 days",
  30: "Last 30 days",
  90: "Last 90 days",
  365: "Last 12 months",
  month: "This month",
  before: "Last month",
  own: "From … to …",
};

const text = (date) => date.toISOString().slice(0, 10);
const ofMonth = (now, months, day) => text(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, day)));

function bounds(range, now = new Date()) {
  if (range === "month") return { from: ofMonth(now, 0, 1), to: text(now) };
  if (range === "before") return { from: ofMonth(now, -1, 1), to: ofMonth(now, 0, 0) };
  return { from: text(new Date(now - (Number(range) - 1) * ONE_DAY)), to: text(now) };
}

export class RangeChoice {
  #select;
  #from;
  #to;
  #dates;

  /** `changed` is called once another range is chosen that has an end after its beginning. */
  constructor(changed) {
    const options = Object.entries(RANGES).map(([value, label]) => el("option", { value }, label));
    this.#select = el("select", { change: () => this.#onSelect(changed) }, ...options);
    this.#select.value = "30";
    this.#from = el("input", { type: "date", required: "", change: () => this.#onDate(changed) });
    this.#to = el("input", { type: "date", required: "", change: () => this.#onDate(changed) });
    this.#dates = el("span", { class: "dates", hidden: "" }, el("label", {}, "From", this.#from), el("label", {}, "to", this.#to));
    this.element = el("div", { class: "controls" }, el("label", {}, "Days", this.#select), this.#dates);
  }

  /** The first and the last day. */
  get value() {
    if (this.#select.value !== "own") return bounds(this.#select.value);
    return { from: this.#from.value, to: this.#to.value };
  }

  #onSelect(changed) {
    const own = this.#select.value === "own";
    this.#dates.hidden = !own;
    if (own && !this.#from.value) Object.assign(this.#from, { value: bounds("30").from });
    if (own && !this.#to.value) Object.assign(this.#to, { value: bounds("30").to });
    this.#limit();
    changed();
  }

  #onDate(changed) {
    this.#limit();
    const inputs = [this.#from, this.#to];
    if (inputs.every((input) => input.reportValidity())) changed();
  }

  #limit() {
    this.#from.max = this.#to.value;
    this.#to.min = this.#from.value;
  }
}
