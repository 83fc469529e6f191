// What the agent did and what it cost, of a range of days.

import { el } from "../shared/elements.js";
import { count, counted, day, money, percent, seconds, share } from "./formats.js";
import { RangeChoice } from "./range.js";
import { scrollable, table } from "./tables.js";
import { charts } from "./usage-charts.js";
import { costOf, tokensOf } from "./usage-figures.js";

export class Usage {
  static id = "usage";
  static title = "Usage";

  #api;
  #range;

  constructor({ api, again }) {
    this.#api = api;
    this.#range = new RangeChoice(again);
    this.controls = this.#range.element;
  }

  async load(signal) {
    const range = this.#range.value;
    const [byDay, byPerson] = await Promise.all(["day", "person"].map((by) => this.#api.usage({ ...range, by }, signal)));
    const { total, budget } = byDay;
    if (!total.questions) return el("div", {}, budget && tileList([budgetFact(budget)]), nobody());
    return el("div", {}, tiles(total, budget), charts(byDay), people(byPerson.lines));
  }
}

function nobody() {
  return el("p", { class: "empty" }, "Nobody has asked the agent anything in these days.");
}

function tiles(total, budget) {
  const { questions, answered, up, down, unknownTokens, unknownCost } = total;
  const facts = [
    ["Questions", count(questions)],
    ["Answered", share(answered, questions), `${count(answered)} of ${count(questions)}`],
    ["Tokens", tokensOf(total), unknownTokens && `unknown for ${counted(unknownTokens, "question")}`],
    ["Cost", costOf(total), unknownCost && `unknown for ${counted(unknownCost, "question")}`],
    ["Liked", share(up, up + down), `${count(up)} up, ${count(down)} down`],
    ["First words after", seconds(total.firstText), `last ones after ${seconds(total.lastText)}; medians`],
  ];
  return tileList(budget ? [...facts, budgetFact(budget)] : facts);
}

function tileList(facts) {
  const tile = ([name, value, note]) => el("div", {}, el("dt", {}, name), el("dd", {}, value), note ? el("dd", { class: "note" }, note) : null);
  return el("dl", { class: "tiles" }, ...facts.map(tile));
}

// Of the month that goes on, whatever days are shown.
function budgetFact({ tokens, cost, percent: used, goesOn }) {
  const limits = [tokens !== null && counted(tokens, "token"), cost !== null && `a cost of ${money(cost)}`].filter(Boolean);
  const rest = goesOn ? "; questions are answered again from " + day(goesOn) : "";
  return ["Budget this month", percent(used), `of ${limits.join(" and ")}${rest}`];
}

function people(lines) {
  const columns = [
    { title: "Person", text: true, cell: nameOfPerson },
    { title: "Questions", cell: ({ questions }) => count(questions) },
    { title: "Answered", cell: ({ answered }) => count(answered) },
    { title: "Tokens", cell: tokensOf },
    { title: "Cost", cell: costOf },
    { title: "Thumbs up", cell: ({ up }) => count(up) },
    { title: "Thumbs down", cell: ({ down }) => count(down) },
  ];
  const title = "By person";
  return el("section", { class: "people" }, el("h2", {}, title), scrollable(title, table({ caption: title, columns, rows: lines })));
}

function nameOfPerson({ key, name, username }) {
  if (key === "others") return "Everybody else";
  return name ?? (username ? `@${username}` : `Person ${key}`);
}
