// Numbers, money and times in the browser's own language. What is not known is said to be unknown; it never becomes 0.

export const UNKNOWN = "unknown";

const WHOLE = new Intl.NumberFormat();
const SHORT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const PERCENT = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const SECONDS = new Intl.NumberFormat(undefined, { style: "unit", unit: "second", maximumFractionDigits: 1 });
const MONEY = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const SMALL_MONEY = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

const known = (format) => (value) => (value === null || value === undefined ? UNKNOWN : format(value));

export const count = known((value) => WHOLE.format(value));
export const short = known((value) => SHORT.format(value));
export const seconds = known((value) => SECONDS.format(value));
export const moment = known((text) => MOMENT.format(new Date(text)));

/** An amount, given as a decimal in a string so that no digit of it is lost. */
export const money = known((text) => (isSmall(text) ? SMALL_MONEY : MONEY).format(text));

/** A day or a month, given as `2026-11-27` or `2026-11`. */
export const day = (key) => (key.length === 7 ? MONTH : DAY).format(new Date(key));
export const shortDay = (key) => (key.length === 7 ? MONTH : SHORT_DAY).format(new Date(key));

/** Hundredths, as the bridge counts them. */
export const percent = (hundredths) => PERCENT.format(hundredths / 100);

/** A part of a whole; a dash for a part of nothing. */
export function share(part, whole) {
  return whole ? PERCENT.format(part / whole) : "—";
}

/** Say how many of something there are: `plural` as in English. */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

function isSmall(text) {
  return Number(text) !== 0 && Math.abs(Number(text)) < 0.01;
}
