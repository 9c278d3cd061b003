/** One line for an error: its message if it is meant for people, else that it is a bug. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "InputError"
    ? error.message
    : `${error.message} (unexpected: an issue with this line would help)`;
}
