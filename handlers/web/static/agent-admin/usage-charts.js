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

/** All charts of a report by day. */
export function charts({ lines, total }) {
  const months = lines.length > MOST_BARS;
  const points = (months ? byMonth(lines) : lines).map((row) => ({ ...row, label: day(row.key), short: shortDay(row.key) }));
  const when = { title: months ? "Month" : "Day", text: true, cell: ({ label }) => label };
  const figures = [questionChart, tokenChart, costChart, feedbackChart].map((chart) => chart(points, total, when));
  const heading = el("h2", { id: "over-time", class: "said" }, months ? "By month" : "By day");
  return el("section", { class: "charts", "aria-labelledby": "over-time" }, heading, ...figures);
}

function questionChart(points, total, when) {
  const series = BECAME.filter(({ id }) => total[id]).map(({ id, name, color }) => ({ name, color, value: (row) => row[id] }));
  const columns = [when, { title: "Questions", cell: ({ questions }) => count(questions) }, ...series.map(column)];
  return barChart({ title: "Questions", total: counted(total.questions, "question"), points, series, format: count, axis: short, columns });
}

function tokenChart(points, total, when) {
  const series = [
    { name: "Read", color: "one", value: ({ promptTokens }) => promptTokens },
    { name: "Written", color: "four", value: ({ completionTokens }) => completionTokens },
  ];
  const unknown = ({ unknownTokens }) => unknownTokens;
  const columns = [when, { title: "All", cell: tokensOf }, ...series.map(column), unknownColumn(unknown)];
  return barChart({ title: "Tokens", total: tokensOf(total), points, series, unknown, format: count, axis: short, columns });
}

function costChart(points, total, when) {
  const series = [{ name: "Cost", color: "one", value: ({ cost }) => cost ?? "0" }];
  const unknown = ({ unknownCost }) => unknownCost;
  const columns = [when, { title: "Cost", cell: costOf }, unknownColumn(unknown)];
  return barChart({ title: "Cost", total: costOf(total), points, series, unknown, format: money, axis: short, columns });
}

function feedbackChart(points, total, when) {
  const series = [
    { name: "Thumbs up", color: "one", value: ({ up }) => up },
    { name: "Thumbs down", color: "two", value: ({ down }) => down },
  ];
  const ratings = `${count(total.up)} up, ${count(total.down)} down`;
  return barChart({ title: "Feedback", total: ratings, points, series, format: count, axis: short, columns: [when, ...series.map(column)] });
}

function column({ name, value }) {
  return { title: name, cell: (row) => count(value(row)) };
}

function unknownColumn(unknown) {
  return { title: "Unknown of (questions)", cell: (row) => count(unknown(row)) };
}
