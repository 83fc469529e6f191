// Stacked bars over time as SVG, and the same numbers as a table: for screen readers, and for whoever wants to know exactly.

import { el, svg } from "../shared/elements.js";
import { scrollable, table } from "./tables.js";

const HEIGHT = 100; // of the drawing's own units, likewise the width of a bar with its gap
const STEP = 10;
const GAP = 2;

/**
 * A chart with its legend and its table.
 *
 * `points` have a `label` and a `short` one. Each of the `series` has a `name`, a `color` and a `value` that returns the number
 * of a point; `unknown` returns how much of a point is not known. `format` writes a number out, `axis` writes it briefly.
 */
export function barChart({ title, total, points, series, unknown = () => 0, format, axis, columns }) {
  const caption = el("figcaption", {}, el("h3", {}, title), el("p", { class: "total" }, total));
  const top = ceiling(Math.max(...points.map((point) => sum(series, point))));
  const drawn = { points, series, unknown, top, format };
  const plot = el("div", { class: "plot", "aria-hidden": "true" }, scale(top, axis), bars(drawn), days(points));
  const gaps = points.some((point) => unknown(point)) && el("p", { class: "note" }, "Dotted: there is more, of unknown size.");
  return el("figure", { part: "chart" }, caption, plot, series.length > 1 && legend(series), gaps, numbers(title, columns, points));
}

/** The next number of which the half is round, too. */
function ceiling(value) {
  if (!(value > 0)) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [2, 4, 6, 8, 10, 20].map((step) => step * power).find((step) => step >= value);
}

function sum(series, point) {
  return series.reduce((total, { value }) => total + Number(value(point)), 0);
}

function bars({ points, ...drawn }) {
  const width = points.length * STEP;
  const drawing = { class: "bars", viewBox: `0 0 ${width} ${HEIGHT}`, preserveAspectRatio: "none" };
  const lines = [0, 0.5].map((at) => svg("line", { class: "grid", x1: 0, x2: width, y1: at * HEIGHT, y2: at * HEIGHT }));
  return svg("svg", drawing, ...lines, ...points.map((point, at) => bar(point, at * STEP, drawn)));
}

function bar(point, x, { series, unknown, top, format }) {
  const place = { x: x + GAP / 2, width: STEP - GAP };
  const text = [point.label, ...series.map(({ name, value }) => `${name}: ${format(value(point))}`)].join("\n");
  const parts = [];
  let y = HEIGHT;
  for (const { color, value } of series) {
    const height = (Number(value(point)) / top) * HEIGHT;
    y -= height;
    if (height) parts.push(svg("rect", { ...place, class: color, y, height }));
  }
  if (unknown(point)) parts.push(svg("rect", { ...place, class: "unknown", y: 0, height: y }));
  // The whole column can be pointed at, however small the bar is.
  const whole = svg("rect", { class: "whole", x, width: STEP, y: 0, height: HEIGHT });
  return svg("g", {}, svg("title", {}, text), ...parts, whole);
}

function scale(top, axis) {
  return el("div", { class: "scale" }, ...[top, top / 2, 0].map((value) => el("span", {}, axis(value))));
}

function days(points) {
  const shown = [...new Set([0, Math.floor((points.length - 1) / 2), points.length - 1])];
  return el("div", { class: "days" }, ...shown.map((at) => el("span", {}, points[at].short)));
}

function legend(series) {
  const entries = series.map(({ name, color }) => el("li", {}, swatch(color), name));
  return el("ul", { class: "legend", "aria-hidden": "true" }, ...entries);
}

function swatch(color) {
  return svg("svg", { class: "swatch", viewBox: "0 0 1 1" }, svg("rect", { class: color, width: 1, height: 1 }));
}

function numbers(title, columns, points) {
  const rows = table({ caption: title, columns, rows: points });
  return el("details", {}, el("summary", {}, "Numbers", el("span", { class: "said" }, ` of ${title}`)), scrollable(title, rows));
}
