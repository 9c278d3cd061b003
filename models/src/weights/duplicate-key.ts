/**
 * Finds a key that an object, at any depth, has twice. JSON.parse silently keeps the last of the two, so that two
 * readers can see two different files in the same bytes; the safetensors format forbids it.
 *
 * @param json text that JSON.parse accepts, of any length and depth
 * @returns the first such key, or undefined
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: (Set<string> | null)[] = []; // the objects' keys so far; null stands for a list
  const structure = /["{}[\]]/g;
  const colon = /\s*:/y;
  for (let match = structure.exec(json); match !== null; match = structure.exec(json)) {
    const [sign] = match;
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(null);
    else if (sign === '"') {
      const end = endOfString(json, match.index);
      structure.lastIndex = end;
      colon.lastIndex = end;
      const keys = open.at(-1);
      if (!keys || !colon.test(json)) continue;
      const key: string = JSON.parse(json.slice(match.index, end));
      if (keys.has(key)) return key;
      keys.add(key);
    } else open.pop();
  }
  return undefined;
}

/** The index after the string literal whose opening quote is at `start`. */
function endOfString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  for (;;) {
    let before = quote - 1;
    while (json[before] === "\\") before--;
    if ((quote - before) % 2 === 1) return quote + 1; // an even number of backslashes: not escaped
    quote = json.indexOf('"', quote + 1);
  }
}
