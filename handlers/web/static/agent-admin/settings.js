// The organization's settings: within the operator's bounds, and never over what somebody else has just changed.

import { el } from "../shared/elements.js";
import { Failure } from "../shared/bridge.js";
import { differences, draftOf, isSame } from "./settings-draft.js";
import { SettingsForm } from "./settings-form.js";
import { ANY_FAILURE, FAILURES, OF_EVERYTHING } from "./sentences.js";

export class Settings {
  static id = "settings";
  static title = "Settings";

  controls = null;
  #context;
  #place = el("div");
  #trouble = el("div", { class: "trouble" });
  #stored = null; // as the form was begun with
  #form = null;
  #saving = false;

  constructor(context) {
    this.#context = context;
  }

  /** What somebody has begun to change stays, whatever is stored by now. */
  async load(signal) {
    const stored = await this.#context.api.settings(signal);
    const draft = this.#form?.draft;
    if (!draft || isSame(draft, draftOf(this.#stored))) this.#begin(stored);
    else if (stored.version !== this.#stored.version) this.#conflict(stored);
    return this.#place;
  }

  #begin(stored, draft = draftOf(stored)) {
    const held = this.#place.contains(this.#place.getRootNode().activeElement);
    this.#stored = stored;
    this.#form = new SettingsForm(stored, draft, { save: () => this.#save(this.#stored.version), undo: () => this.#saving || this.#begin(stored) });
    this.#trouble.replaceChildren();
    this.#place.replaceChildren(this.#form.element, this.#trouble);
    if (held) this.#form.focus();
  }

  async #save(version) {
    if (this.#saving) return;
    this.#saving = true;
    const { api, say, signal } = this.#context;
    const { draft } = this.#form;
    this.#form.busy(true);
    try {
      const stored = await api.change(draft, version, signal);
      const now = this.#form.draft;
      // What was changed while it was saved is still to be saved.
      this.#begin(stored, isSame(now, draft) ? draftOf(stored) : now);
      this.#tell("Saved.");
      say("Saved.");
    } catch (failure) {
      if (signal.aborted) return;
      await this.#refused(failure);
    } finally {
      this.#saving = false;
      this.#form.busy(false);
    }
  }

  async #refused(failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.code === "settings_changed") await this.#compare();
    else if (OF_EVERYTHING.has(failure.code)) this.#context.fail(failure);
    else this.#complain(failure);
  }

  async #compare() {
    const { api, signal } = this.#context;
    try {
      this.#conflict(await api.settings(signal));
    } catch (failure) {
      if (!signal.aborted) await this.#refused(failure);
    }
  }

  /** Show what somebody else has stored meanwhile, and leave the form as it is. */
  #conflict(theirs) {
    const different = differences(theirs, this.#form.draft);
    if (!different.length) {
      this.#begin(theirs);
      this.#tell("Somebody else has just saved the same.");
      return;
    }
    const entries = different.map(({ name, theirs: their, mine }) => el("li", {}, `${name}: they chose ${their}; the form has ${mine}.`));
    const keep = el("button", { type: "button", class: "main", click: () => this.#save(theirs.version) }, "Save mine");
    const take = el("button", { type: "button", click: () => this.#begin(theirs) }, "Take theirs");
    this.#warn(
      el("h2", {}, "Somebody else changed the settings meanwhile"),
      el("ul", {}, ...entries),
      el("p", {}, "What you chose is still in the form."),
      el("div", { class: "choices" }, keep, take),
    );
  }

  #complain({ code, said }) {
    const [title, advice] = FAILURES[code] ?? ANY_FAILURE;
    this.#warn(el("h2", {}, "Not saved"), el("p", {}, code === "invalid_request" && said ? said : `${title}. ${advice}`));
  }

  #warn(...content) {
    const warning = el("div", { class: "warning", role: "alert", tabindex: "-1" }, ...content);
    this.#trouble.replaceChildren(warning);
    warning.focus();
  }

  #tell(text) {
    this.#trouble.replaceChildren(el("p", { class: "note" }, text));
  }
}
