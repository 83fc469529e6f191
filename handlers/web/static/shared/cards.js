// The cards that a component shows in place of its content: it loads, or it did not work.

import { el, svg } from "./elements.js";

const SIGN = "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM12 7.5v4M12 14h.01";

/** A card that says what is under way. */
export function loadingCard(text) {
  return el("div", { class: "card", part: "loading" }, el("div", { class: "spinner", part: "spinner" }), el("p", {}, text));
}

/** A card that says what went wrong: `element` to be shown, `spoken` to be read out. */
export class FailureCard {
  #countdown = null;

  /** `detail` is the server's sentence, `seconds` the time until the next try, null if there is none. */
  constructor([title, advice], { detail, seconds, actions }) {
    this.#countdown = seconds === null ? null : el("p", { class: "countdown", part: "countdown", "aria-hidden": "true" });
    const text = [el("h2", { part: "title" }, title), el("p", {}, advice), detail && el("p", { class: "detail" }, detail), this.#countdown];
    this.element = el("div", { class: "card", part: "error" }, sign(), ...text, el("div", { class: "actions" }, ...buttons(actions)));
    // The countdown is read out once, not every second.
    this.spoken = [`${title}.`, advice, detail, seconds !== null && `Trying again ${inSeconds(seconds)}.`].filter(Boolean).join(" ");
  }

  /** Show how many seconds are left. */
  count(seconds) {
    this.#countdown.textContent = `Trying again ${inSeconds(seconds)}.`;
  }
}

/** Buttons of a card, each of its part, text and act; the first stands out. */
export function buttons(actions) {
  return actions.map(([part, text, act], at) => el("button", { type: "button", part, class: at ? "" : "main", click: act }, text));
}

/** Call `tick` with the seconds that are left, every second, then `end`; nothing any more once the signal is aborted. */
export function countDown(seconds, signal, { tick, end }) {
  const last = performance.now() + seconds * 1000;
  let timer;
  const look = () => {
    const left = last - performance.now();
    if (left <= 0) {
      end();
      return;
    }
    tick(left / 1000);
    timer = setTimeout(look, left % 1000 || 1000);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  look();
}

function sign() {
  return svg("svg", { viewBox: "0 0 24 24", class: "sign", "aria-hidden": "true" }, svg("path", { d: SIGN }));
}

function inSeconds(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  return whole === 1 ? "in 1 second" : `in ${whole} seconds`;
}
