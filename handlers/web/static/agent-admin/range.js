// Of which days the usage is shown: whole days in UTC, as the bridge counts them.

import { el } from "../shared/elements.js";
import { DayLimits } from "./day-limits.js";

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
  #days;

  /** `changed` is called once another range is chosen that has an end after its beginning. */
  constructor(changed) {
    const options = Object.entries(RANGES).map(([value, label]) => el("option", { value }, label));
    this.#select = el("select", { change: () => this.#onSelect(changed) }, ...options);
    this.#select.value = "30";
    this.#days = new DayLimits(changed, { required: "" });
    this.#days.element.hidden = true;
    this.element = el("div", { class: "controls" }, el("label", {}, "Days", this.#select), this.#days.element);
  }

  /** The first and the last day. */
  get value() {
    return this.#select.value === "own" ? this.#days.value : bounds(this.#select.value);
  }

  #onSelect(changed) {
    const own = this.#select.value === "own";
    this.#days.element.hidden = !own;
    if (own && !this.#days.value.from) this.#days.value = bounds("30");
    changed();
  }
}
