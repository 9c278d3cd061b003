/**
 * Keeps up to `depth` items of an iterator prepared ahead of the consumer. An error comes out after the items that
 * were made before it. Leaving early (`break`, `return()`) waits for the item in preparation, then closes the source.
 *
 * @param depth at least 1
 * @throws RangeError for another depth
 */
export async function* prefetch<T>(source: AsyncIterable<T>, depth: number): AsyncGenerator<T, void, undefined> {
  if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`prefetch depth ${depth}: at least 1`);
  const iterator = source[Symbol.asyncIterator]();
  const ready: T[] = [];
  let stopped = false;
  let finished = false;
  let failure: { error: unknown } | undefined;
  let wakeConsumer = () => {};
  let wakeProducer = () => {};

  const producing = (async () => {
    try {
      while (!stopped) {
        if (ready.length >= depth) {
          await new Promise<void>((resolve) => {
            wakeProducer = resolve;
          });
          continue;
        }
        const next = await iterator.next();
        if (next.done) break;
        ready.push(next.value);
        wakeConsumer();
      }
    } catch (error) {
      failure = { error };
    }
    finished = true;
    wakeConsumer();
  })();

  try {
    while (true) {
      if (ready.length > 0) {
        const item = ready.shift() as T;
        wakeProducer();
        yield item;
      } else if (finished) {
        if (failure) throw failure.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wakeConsumer = resolve;
        });
      }
    }
  } finally {
    stopped = true;
    wakeProducer();
    await producing;
    await iterator.return?.();
  }
}
