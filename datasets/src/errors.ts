/**
 * Something the user gave (a flag, a file, a shape, an image) can't be used. The message is one line: what was
 * received, what was expected and what to do. Programs print it without a stack trace.
 */
export class InputError extends Error {
  override name = "InputError";
}
