// Tables that say what they hold, and scroll sideways by themselves where a screen is narrow.

import { el } from "../shared/elements.js";

/** `columns` have a `title`, a `cell` that returns the text or the node of a row, and may be `wide` or `text` (not a number). */
export function table({ caption, columns, rows }) {
  const heads = columns.map(({ title, text }) => el("th", { scope: "col", class: text ? "" : "number" }, title));
  return el(
    "table",
    {},
    el("caption", { class: "said" }, caption),
    el("thead", {}, el("tr", {}, ...heads)),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...columns.map((column, at) => cell(column, row, at))))),
  );
}

/** What may be wider than the screen can be reached and scrolled by the keyboard. */
export function scrollable(label, content) {
  return el("div", { class: "scrollable", role: "region", "aria-label": label, tabindex: "0" }, content);
}

function cell({ cell, text }, row, at) {
  const content = cell(row);
  return at ? el("td", { class: text ? "" : "number" }, content) : el("th", { scope: "row" }, content);
}
