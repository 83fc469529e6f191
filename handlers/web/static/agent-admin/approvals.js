// What the agent wants to do and may not without somebody's word: decided here as well as in the chat.

import { el } from "../shared/elements.js";
import { Failure } from "../shared/bridge.js";
import { ended, waiting } from "./approval-entries.js";
import { confirmed } from "./confirm.js";
import { ANY_FAILURE, FAILURES, OF_EVERYTHING } from "./sentences.js";

const LOOK_AGAIN = 20_000; // milliseconds

const NEW = "Something new waits for a decision.";
const GONE = "An approval no longer waits: it was decided elsewhere, or its time is over.";
const DONE = { approve: "You have approved it, once.", deny: "You have denied it." };

export class Approvals {
  static id = "approvals";
  static title = "Approvals";

  controls = null;
  #context;
  #place = el("div");
  #said = el("p", { class: "note" });
  #pending = new Map(); // id: what is shown of it
  #deciding = new Set(); // ids
  #asked = 0; // how often the bridge was asked what waits
  #shown = 0; // which answer is shown

  constructor(context) {
    this.#context = context;
  }

  async load(signal) {
    const lists = await this.#lists(signal);
    this.#pending = new Map();
    this.#said.textContent = "";
    this.#draw(lists);
    this.#watch(signal);
    return this.#place;
  }

  /** Show on the tab how many wait; whatever goes wrong with that is no matter of what is shown. */
  async count(signal) {
    try {
      const { pending } = await this.#context.api.approvals(signal);
      this.#badge(pending);
    } catch (failure) {
      if (!(failure instanceof Failure) && !signal.aborted) throw failure;
    }
  }

  // Answers may overtake each other: an older one would show again what was decided.
  async #lists(signal) {
    this.#asked += 1;
    const at = this.#asked;
    return { ...(await this.#context.api.approvals(signal)), at };
  }

  #badge(pending) {
    this.#context.badge(pending.length, pending.length === 1 ? "waits" : "wait");
  }

  // What waits already stays as it is: somebody may have a finger on its button.
  #draw({ pending, ended: others, at }) {
    this.#shown = at;
    const before = this.#pending;
    const { activeElement } = this.#place.getRootNode();
    const held = this.#place.contains(activeElement);
    this.#pending = new Map(pending.map((each) => [each.id, before.get(each.id) ?? waiting(each, (decision) => this.#decide(each, decision))]));
    const list = pending.length
      ? el("ul", { class: "entries" }, ...this.#pending.values())
      : el("p", { class: "empty" }, "Nothing waits for a decision.");
    const past = others.length ? el("ul", { class: "entries" }, ...others.map(ended)) : el("p", { class: "empty" }, "No approval has ended yet.");
    const heading = el("h2", { tabindex: "-1" }, "Waiting");
    this.#place.replaceChildren(
      el("section", { class: "part" }, heading, this.#said, list),
      el("section", { class: "part" }, el("h2", {}, "Ended"), past),
    );
    if (held) (this.#place.contains(activeElement) ? activeElement : heading).focus();
    this.#badge(pending);
  }

  #watch(signal) {
    const timer = setInterval(() => document.hidden || this.#refresh(signal), LOOK_AGAIN);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** Show what has changed; tell it, unless there is something else to `tell`. */
  async #refresh(signal, tell = "") {
    try {
      const lists = await this.#lists(signal);
      const ids = new Set(lists.pending.map(({ id }) => id));
      const known = [...this.#pending.keys()];
      if (lists.at < this.#shown || (known.length === ids.size && known.every((id) => ids.has(id)))) return;
      this.#draw(lists);
      this.#tell(tell || (known.every((id) => ids.has(id)) ? NEW : GONE));
    } catch (failure) {
      if (signal.aborted) return;
      if (!(failure instanceof Failure)) throw failure;
      // Another look comes soon.
      if (OF_EVERYTHING.has(failure.code)) this.#context.fail(failure);
    }
  }

  async #decide(approval, decision) {
    const { api, signal } = this.#context;
    if (this.#deciding.has(approval.id)) return;
    if (!(await confirmed(this.#place.getRootNode(), approval, decision, signal)) || signal.aborted) return;
    this.#deciding.add(approval.id);
    try {
      await api.decide(approval.id, decision, signal);
      await this.#refresh(signal, DONE[decision]);
      this.#tell(DONE[decision]);
    } catch (failure) {
      if (!signal.aborted) await this.#refused(failure, signal);
    } finally {
      this.#deciding.delete(approval.id);
    }
  }

  async #refused(failure, signal) {
    if (!(failure instanceof Failure)) throw failure;
    if (OF_EVERYTHING.has(failure.code)) {
      this.#context.fail(failure);
      return;
    }
    const [title, advice] = FAILURES[failure.code] ?? ANY_FAILURE;
    const sentence = failure.status >= 400 && failure.status < 500 && failure.said ? failure.said : `${title}. ${advice}`;
    await this.#refresh(signal, sentence);
    this.#tell(sentence);
  }

  #tell(text) {
    this.#said.textContent = text;
    this.#context.say(text);
  }
}
