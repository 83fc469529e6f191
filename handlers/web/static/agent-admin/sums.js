// Months as sums of their days. Amounts stay decimals in strings, so that no digit is lost.

const OF_MONTH = 7; // characters of a day that name its month

/** Sum up the figures of days by month; medians are not summed. */
export function byMonth(days) {
  const months = new Map();
  for (const { key, ...figures } of days) {
    const month = key.slice(0, OF_MONTH);
    months.set(month, months.has(month) ? added(months.get(month), figures) : figures);
  }
  return [...months].map(([key, figures]) => ({ ...figures, key }));
}

function added(sum, figures) {
  const counts = Object.entries(figures).filter(([, value]) => Number.isInteger(value));
  const cost = sum.cost === null || figures.cost === null ? (sum.cost ?? figures.cost) : decimalSum(sum.cost, figures.cost);
  return { ...Object.fromEntries(counts.map(([name, value]) => [name, value + sum[name]])), cost };
}

/** The exact sum of two decimals, neither of them negative. */
function decimalSum(one, other) {
  const places = Math.max(...[one, other].map((text) => (text.split(".")[1] ?? "").length));
  const [first, second] = [one, other].map((text) => {
    const [whole, fraction = ""] = text.split(".");
    return BigInt(whole + fraction.padEnd(places, "0"));
  });
  const digits = String(first + second).padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}
