import { formatTable } from "./table.ts";

/** What is likeliest, with bars: the names in the order given. */
export function rankingText(what: string, ranked: readonly { name: string; probability: number }[]): string {
  const rows = ranked.map(({ name, probability }) => ({
    [what]: name,
    probability: `${(100 * probability).toFixed(1)} %`,
    bar: "█".repeat(Math.round(30 * probability)),
  }));
  return formatTable(rows, [{ key: what }, { key: "probability", align: "right" }, { key: "bar" }]);
}
