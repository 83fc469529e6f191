// The box in which one writes: Enter sends, Shift and Enter begins a new line.

import { el, icon } from "./dom.js";
import { picker } from "./files.js";

const TYPING_EVERY = 4_000;

export function composer({ label, placeholder, id = null, onSend, onTyping = () => {}, onEscape = () => {} }) {
  const trouble = el("p", { class: "composer-trouble", role: "alert" });
  const button = el("button", { class: "send", type: "submit", "aria-label": "Send", disabled: true }, icon("send"));
  const text = el("textarea", { id, rows: "1", "aria-label": label, placeholder, maxlength: "16383", autocomplete: "off" });
  const picked = picker(() => fit());
  const box = el("div", { class: "composer-box" }, text, picked.button, picked.input, button);
  const form = el("form", { class: "composer" }, picked.chips, box, trouble);
  let typedAt = 0;
  let attempt = null;

  const fit = () => {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, 220)}px`;
    button.disabled = form.dataset.busy === "yes" || !(text.value.trim() || picked.files.length);
  };
  const busy = (is) => {
    form.dataset.busy = is ? "yes" : "no";
    text.readOnly = is;
    fit();
  };
  text.addEventListener("input", () => {
    fit();
    if (text.value.trim() && Date.now() - typedAt > TYPING_EVERY) {
      typedAt = Date.now();
      onTyping();
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") {
      onEscape();
    }
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const message = text.value.trim();
    if (!(message || picked.files.length) || form.dataset.busy === "yes") return;
    busy(true);
    trouble.textContent = "";
    // The same stamp for the same text: a message whose answer was lost is not posted twice.
    if (attempt?.message !== message) attempt = { message, stamp: Date.now() };
    try {
      await onSend(message, attempt.stamp, picked.files);
      attempt = null;
      text.value = "";
      picked.clear();
      typedAt = 0;
    } catch (error) {
      trouble.textContent = `Not sent. ${error.message}`;
    } finally {
      busy(false);
      text.focus();
    }
  });
  return {
    node: form,
    focus: () => text.focus(),
    write: (value) => {
      text.value = value;
      fit();
      text.focus();
      text.setSelectionRange(value.length, value.length);
    },
  };
}
