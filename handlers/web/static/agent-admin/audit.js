// Who decided what, the newest first; all of it as a file, too.

import { el } from "../shared/elements.js";
import { DayLimits } from "./day-limits.js";
import { moment } from "./formats.js";
import { KINDS, what, where, who } from "./audit-words.js";

export class Audit {
  static id = "audit";
  static title = "Audit";

  #context;
  #kind;
  #days;
  #file = el("a", { download: "" }, "Download as CSV");
  #log = el("ol", { class: "log" });
  #more = el("button", { type: "button", click: () => this.#older() }, "Show older entries");
  #cursor = null;
  #signal = null; // aborted as soon as something else is shown

  constructor(context) {
    this.#context = context;
    const options = [["", "Everything"], ...Object.entries(KINDS)].map(([value, text]) => el("option", { value }, text));
    this.#kind = el("select", { change: () => context.again() }, ...options);
    this.#days = new DayLimits(() => context.again());
    this.controls = el("div", { class: "controls" }, el("label", {}, "What happened", this.#kind), this.#days.element, this.#file);
  }

  // What is empty is not asked for.
  get #query() {
    return { kind: this.#kind.value, ...this.#days.value };
  }

  get #isChosen() {
    return Object.values(this.#query).some(Boolean);
  }

  async load(signal) {
    this.#signal = signal;
    this.#file.href = this.#context.api.auditFile(this.#query);
    const page = await this.#context.api.audit(this.#query, signal);
    this.#log.replaceChildren();
    this.#add(page);
    if (!page.entries.length) return el("p", { class: "empty" }, this.#isChosen ? "Nothing of what was chosen has happened." : "Nothing has happened yet.");
    return el("div", {}, this.#log, this.#more);
  }

  async #older() {
    const { api, say } = this.#context;
    const signal = this.#signal;
    this.#more.disabled = true;
    try {
      const page = await api.audit({ ...this.#query, cursor: this.#cursor }, signal);
      const [first] = this.#add(page);
      say(`${page.entries.length} older entries are shown.`);
      first?.focus();
    } catch (failure) {
      if (!signal.aborted) this.#context.fail(failure);
    } finally {
      this.#more.disabled = false;
    }
  }

  #add({ entries, next }) {
    const added = entries.map(entry);
    this.#log.append(...added);
    this.#cursor = next;
    this.#more.hidden = !next;
    return added;
  }
}

function entry(row) {
  const time = el("time", { datetime: row.at }, moment(row.at));
  return el("li", { tabindex: "-1" }, time, el("span", {}, what(row), where(row)), el("span", { class: "who" }, who(row)));
}
