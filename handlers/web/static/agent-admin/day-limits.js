// A first and a last day, whole days in UTC as the bridge counts them; either may be left out.

import { el } from "../shared/elements.js";

export class DayLimits {
  #from;
  #to;

  /** `changed` is called once there are limits of which the first is not after the last. */
  constructor(changed, given = {}) {
    const input = () => el("input", { type: "date", ...given, change: () => this.#onChange(changed) });
    this.#from = input();
    this.#to = input();
    this.element = el("span", { class: "dates" }, el("label", {}, "From", this.#from), el("label", {}, "to", this.#to));
  }

  /** The first and the last day; empty where there is none. */
  get value() {
    return { from: this.#from.value, to: this.#to.value };
  }

  set value({ from, to }) {
    this.#from.value = from;
    this.#to.value = to;
    this.#limit();
  }

  #onChange(changed) {
    this.#limit();
    if ([this.#from, this.#to].every((input) => input.reportValidity())) changed();
  }

  #limit() {
    this.#from.max = this.#to.value;
    this.#to.min = this.#from.value;
  }
}
