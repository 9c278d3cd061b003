import type { Tokenizer } from "./tokenizer.ts";

/**
 * What each token adds to a text: joined they are the text as `decode` gives it. A token of some bytes of a character adds
 * nothing, and that of its last byte all of it; a special token adds nothing either.
 *
 * @param ids a whole text's
 */
export function tokenTexts(tokenizer: Tokenizer, ids: ArrayLike<number>): string[] {
  const list = Array.from(ids);
  const whole = tokenizer.decode(list);
  let before = 0;
  return list.map((_, i) => {
    if (i === list.length - 1) return whole.slice(before);
    // Half a character is shown by a sign that the whole text has not got there.
    const after = Math.max(before, commonLength(tokenizer.decode(list.slice(0, i + 1)), whole));
    const added = whole.slice(before, after);
    before = after;
    return added;
  });
}

/** Code units that two texts begin with alike, no half of a pair among them. */
function commonLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return /[\uD800-\uDBFF]/.test(a[at - 1] ?? "") ? at - 1 : at;
}
