/** An error, or what a command printed, as one line without a trailing full stop, cut where it is too long. */
export function oneLine(error: unknown, longest = 300): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}
