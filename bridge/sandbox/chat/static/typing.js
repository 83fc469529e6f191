// Who is typing where, for as long as Mattermost's clients believe it.

import { el } from "./dom.js";

const LASTS = 6_000;

export class Typing {
  // `onChange(rootId)` is called when the people typing in a thread change; "" is the channel itself.
  constructor(onChange) {
    this.onChange = onChange;
    this.timers = new Map();
  }

  note(userId, rootId) {
    const key = `${rootId}/${userId}`;
    clearTimeout(this.timers.get(key));
    this.timers.set(key, setTimeout(() => this.stop(userId, rootId), LASTS));
    this.onChange(rootId);
  }

  stop(userId, rootId) {
    const key = `${rootId}/${userId}`;
    clearTimeout(this.timers.get(key));
    if (this.timers.delete(key)) this.onChange(rootId);
  }

  clear() {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  line(rootId, people) {
    const names = [...this.timers.keys()].filter((key) => key.startsWith(`${rootId}/`)).map((key) => people.username(key.split("/")[1]));
    if (!names.length) return [];
    const who = names.length > 3 ? "Several people are" : `${names.join(", ")} ${names.length > 1 ? "are" : "is"}`;
    return [el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")), `${who} typing…`];
  }
}
