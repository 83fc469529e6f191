// The charts of usage: questions by what became of them, tokens, cost and feedback.

import { el } from "../shared/elements.js";
import { barChart } from "./chart.js";
import { count, counted, day, money, short, shortDay } from "./formats.js";
import { byMonth } from "./sums.js";
import { costOf, tokensOf } from "./usage-figures.js";

const MOST_BARS = 92; // more days than this are shown by month

const BECAME = [
  { id: "answered", name: "Answered", color: "one" },
  { id: "noReply", name: "No reply was due", color: "five" },
  { id: "refused", name: "Refused by a limit", color: "four" },
  { id: "stopped", name: "Stopped", color: "three" },
  { id: "failed", name: "Failed", color: "two" },
  { id: "unfinished", name: "Not finished", color: "six" },
];
const WHEN = { title: "Day", text: true, cell: ({ label }) => label };

/** All charts of a report by day. */
export function charts({ lines, total }) {
  const rows = lines.length > MOST_BARS ? byMonth(lines) : lines;
  const points = rows.map((row) => ({ ...row, label: day(row.key), short: shortDay(row.key) }));
  const figures = [questionChart, tokenChart, costChart, feedbackChart].map((chart) => chart(points, total));
  const heading = el("h2", { id: "by-day", class: "said" }, points.length < lines.length ? "By month" : "By day");
  return el("section", { class: "charts", "aria-labelledby": "by-day" }, heading, ...figures);
}

function questionChart(points, total) {
  const series = BECAME.filter(({ id }) => total[id]).map(({ id, name, color }) => ({ name, color, value: (row) => row[id] }));
  const columns = [WHEN, { title: "Questions", cell: ({ questions }) => count(questions) }, ...series.map(column)];
  return barChart({ title: "Questions", total: counted(total.questions, "question"), points, series, format: count, axis: short, columns });
}

function tokenChart(points, total) {
  const series = [
    { name: "Read", color: "one", value: ({ promptTokens }) => promptTokens },
    { name: "Written", color: "four", value: ({ completionTokens }) => completionTokens },
  ];
  const unknown = ({ unknownTokens }) => unknownTokens;
  const columns = [WHEN, { title: "All", cell: tokensOf }, ...series.map(column), unknownColumn(unknown)];
  return barChart({ title: "Tokens", total: tokensOf(total), points, series, unknown, format: count, axis: short, columns });
}

function costChart(points, total) {
  const series = [{ name: "Cost", color: "one", value: ({ cost }) => cost ?? "0" }];
  const unknown = ({ unknownCost }) => unknownCost;
  const columns = [WHEN, { title: "Cost", cell: costOf }, unknownColumn(unknown)];
  return barChart({ title: "Cost", total: costOf(total), points, series, unknown, format: money, axis: short, columns });
}

function feedbackChart(points, total) {
  const series = [
    { name: "Thumbs up", color: "one", value: ({ up }) => up },
    { name: "Thumbs down", color: "two", value: ({ down }) => down },
  ];
  const ratings = `${count(total.up)} up, ${count(total.down)} down`;
  return barChart({ title: "Feedback", total: ratings, points, series, format: count, axis: short, columns: [WHEN, ...series.map(column)] });
}

function column({ name, value }) {
  return { title: name, cell: (row) => count(value(row)) };
}

function unknownColumn(unknown) {
  return { title: "Questions of which it is unknown", cell: (row) => count(unknown(row)) };
}
