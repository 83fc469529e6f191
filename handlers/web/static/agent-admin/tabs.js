// A row of tabs over one panel, by the pattern of the ARIA Authoring Practices: one stop of the Tab key, arrows within.

import { el } from "../shared/elements.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

export class Tabs {
  #tabs;
  #choose;

  /** `sections` have an `id` and a `title`; `choose` is called with the id of the one that somebody picks. */
  constructor(sections, choose) {
    this.#choose = choose;
    this.#tabs = new Map(sections.map(({ id, title }) => [id, this.#tab(id, title)]));
    this.panel = el("div", { id: "panel", class: "panel", role: "tabpanel", tabindex: "-1", part: "panel" });
    const list = { class: "tabs", role: "tablist", "aria-label": "The agent of this organization", part: "tabs" };
    this.element = el("div", list, ...this.#tabs.values());
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Mark the section's tab as the one that is shown. */
  show(id) {
    for (const [each, tab] of this.#tabs) {
      tab.setAttribute("aria-selected", String(each === id));
      tab.tabIndex = each === id ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${id}`);
  }

  /** Show a number on a tab, what it counts for those who listen; none for 0. */
  badge(id, number, text) {
    const badge = this.#tabs.get(id).querySelector(".badge");
    badge.hidden = !number;
    badge.replaceChildren(String(number), el("span", { class: "said" }, ` ${text}`));
  }

  #tab(id, title) {
    const attributes = { id: `tab-${id}`, type: "button", role: "tab", "aria-controls": "panel", click: () => this.#choose(id) };
    return el("button", attributes, title, el("span", { class: "badge", hidden: "" }));
  }

  #onKey(event) {
    const ids = [...this.#tabs.keys()];
    const at = ids.findIndex((id) => this.#tabs.get(id).tabIndex === 0);
    const ends = { Home: 0, End: ids.length - 1 };
    const next = ends[event.key] ?? (event.key in STEPS ? (at + STEPS[event.key] + ids.length) % ids.length : null);
    if (next === null) return;
    event.preventDefault();
    this.#choose(ids[next]);
    this.#tabs.get(ids[next]).focus();
  }
}
