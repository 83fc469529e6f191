// <equa-agent-admin organization="…">: what an organization's agent did and cost, what waits for a decision, who decided what,
// and the settings; for the organization's administrators. No dependencies. agent-admin.d.ts names everything a page may use.

import { AgentApi } from "./agent-admin/api.js";
import { Approvals } from "./agent-admin/approvals.js";
import { Audit } from "./agent-admin/audit.js";
import { STYLE } from "./agent-admin/look.js";
import { ANY_FAILURE, FAILURES, OF_EVERYTHING } from "./agent-admin/sentences.js";
import { Settings } from "./agent-admin/settings.js";
import { Tabs } from "./agent-admin/tabs.js";
import { Usage } from "./agent-admin/usage.js";
import { API, Failure, pause } from "./shared/bridge.js";
import { FailureCard, countDown, loadingCard } from "./shared/cards.js";
import { adopt, dress, el, reflect } from "./shared/elements.js";

export { Failure };

// What an absent one means.
const ATTRIBUTES = { organization: "", api: API, section: "usage", theme: "" };
const SECTIONS = [Usage, Approvals, Audit, Settings];

/** What is seen and heard of the component. */
class View {
  #root;
  #said = el("p", { class: "said", role: "status" });
  #inner = el("div", { class: "inner" });
  #body = el("div", { class: "body" });
  #controls = el("div");
  #held = false; // whether the focus was in here when all of it went

  constructor(root, nonce) {
    this.#root = root;
    dress(root, STYLE, nonce);
    root.append(this.#said, this.#inner);
  }

  say(text) {
    this.#said.textContent = text;
  }

  blank() {
    this.#held = this.#root.activeElement !== null;
    this.#inner.replaceChildren();
    this.say("");
  }

  /** Put the tabs there, and nothing below them yet. */
  frame(tabs) {
    this.#body.replaceChildren();
    this.#controls.replaceChildren();
    tabs.panel.replaceChildren(this.#controls, this.#body);
    this.#inner.replaceChildren(tabs.element, tabs.panel);
  }

  /** Clear what another section has shown. */
  section(controls) {
    this.#controls.replaceChildren(...(controls ? [controls] : []));
    this.#body.replaceChildren();
  }

  /** Say that something loads; what is there stays until it is replaced, if it is of the same section. */
  loading(text) {
    this.#body.setAttribute("aria-busy", "true");
    if (!this.#body.children.length || this.#body.querySelector(":scope > .card")) this.#replace(loadingCard(text));
    this.say(text);
  }

  content(node, text) {
    this.#replace(node);
    this.#body.removeAttribute("aria-busy");
    this.say(text);
  }

  /** Show what went wrong: below the tabs, or in place of everything. */
  failed(card, everything) {
    if (everything) this.#inner.replaceChildren(this.#body);
    this.#replace(card.element);
    this.#body.removeAttribute("aria-busy");
    this.say(card.spoken);
  }

  // Whoever had the focus in there keeps it in there; elsewhere it is left alone.
  #replace(node) {
    const held = this.#body.contains(this.#root.activeElement) || (this.#held && document.activeElement === document.body);
    this.#held = false;
    this.#body.replaceChildren(node);
    if (!held) return;
    node.tabIndex = -1;
    (node.querySelector("button") ?? node).focus();
  }
}

export class EquaAgentAdmin extends HTMLElement {
  static observedAttributes = ["organization", "api", "section"];

  #view = new View(this.attachShadow({ mode: "open" }), this.nonce);
  #state = "idle";
  #stay = new AbortController(); // aborted as soon as the element is elsewhere, or about something else
  #visit = new AbortController(); // likewise as soon as another section is shown, or this one anew
  #api = null;
  #tabs = null;
  #sections = new Map();
  #retries = 0;
  #restarting = false;

  get state() {
    return this.#state;
  }

  connectedCallback() {
    adopt(this, Object.keys(ATTRIBUTES));
    addEventListener("online", this.#onOnline);
    this.#restart();
  }

  disconnectedCallback() {
    removeEventListener("online", this.#onOnline);
    this.#leave();
    if (this.#state !== "idle") this.#enter("idle");
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name !== "section") this.#restart();
    else if (this.#tabs && !this.#restarting) this.#show();
  }

  /** Load everything anew. */
  reload() {
    this.#leave();
    return this.#open();
  }

  // Several attributes that change at once make one restart, and nothing of before is shown any more.
  #restart() {
    this.#leave();
    if (this.#restarting) return;
    this.#restarting = true;
    queueMicrotask(() => {
      this.#restarting = false;
      if (this.isConnected) this.#open();
    });
  }

  #leave() {
    this.#stay.abort();
    this.#visit.abort();
    this.#stay = new AbortController();
    this.#tabs = null;
    this.#sections = new Map();
    this.#view.blank();
  }

  #open() {
    if (!this.organization || !this.isConnected) {
      this.#enter("idle");
      return Promise.resolve();
    }
    this.#api = new AgentApi(this.api, this.organization);
    this.#tabs = new Tabs(SECTIONS, (id) => Object.assign(this, { section: id }));
    const { signal } = this.#stay;
    const context = { api: this.#api, signal, say: (text) => this.#view.say(text), again: () => this.#load(), fail: (error) => this.#fail(failureOf(error)) };
    this.#sections = new Map(SECTIONS.map((Section) => [Section.id, new Section({ ...context, badge: (...given) => this.#tabs?.badge(Section.id, ...given) })]));
    this.#view.frame(this.#tabs);
    return this.#show();
  }

  get #section() {
    return this.#sections.get(this.section) ?? this.#sections.get(ATTRIBUTES.section);
  }

  async #show() {
    this.#retries = 0;
    this.#tabs.show(this.#section.constructor.id);
    this.#view.section(this.#section.controls);
    await this.#load();
    if (this.#state === "ready" && !(this.#section instanceof Approvals)) this.#sections.get(Approvals.id).count(this.#visit.signal);
  }

  async #load() {
    this.#visit.abort();
    const { signal } = (this.#visit = new AbortController());
    const section = this.#section;
    this.#view.loading(`Loading ${section.constructor.title.toLowerCase()}…`);
    this.#enter("loading");
    try {
      const content = await section.load(signal);
      if (signal.aborted) return;
      this.#retries = 0;
      this.#view.content(content, `${section.constructor.title} is shown.`);
      this.#enter("ready");
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(failureOf(error));
    }
  }

  #fail(failure) {
    this.#visit.abort();
    const { signal } = (this.#visit = new AbortController());
    const { code, status, said } = failure;
    const everything = OF_EVERYTHING.has(code);
    const seconds = pause(failure, this.#retries);
    const known = FAILURES[code];
    // What the server says of a code that is not known here, or of a choice, is more than we could.
    const detail = !known || code === "invalid_request" ? said : "";
    const actions = [["retry", seconds === null ? "Try again" : "Try now", () => (everything ? this.reload() : this.#load())]];
    const card = new FailureCard(known ?? ANY_FAILURE, { detail, seconds, actions });
    this.#view.failed(card, everything);
    if (everything) this.#close();
    if (seconds !== null) countDown(seconds, signal, { tick: (left) => card.count(left), end: () => this.#again() });
    this.#enter(seconds === null ? "error" : "waiting");
    this.#tell("error", { code, status, message: (known ?? ANY_FAILURE).join(". "), retryIn: seconds });
  }

  // What still goes on in a section ends, and no other one can be chosen.
  #close() {
    this.#stay.abort();
    this.#tabs = null;
  }

  #again() {
    this.#retries += 1;
    this.#load();
  }

  #onOnline = () => {
    if (this.#state === "waiting") this.#again();
  };

  #enter(state) {
    this.#state = state;
    this.#tell("state", { state });
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(`equa-agent-admin-${what}`, { detail, bubbles: true, composed: true }));
  }
}

// What an answer lacks that should be in it is found out as it is shown.
function failureOf(error) {
  if (error instanceof Failure) return error;
  console.error(error);
  return new Failure("invalid_answer");
}

reflect(EquaAgentAdmin, ATTRIBUTES);

if (!customElements.get("equa-agent-admin")) customElements.define("equa-agent-admin", EquaAgentAdmin);
