/** Work of which only the newest counts: what is asked for ends what was at work, and begins when that has ended. */
export class Lane {
  private controller = new AbortController();
  private last: Promise<void> = Promise.resolve();

  /** @param body gives up when the signal says so; it says itself what went wrong */
  run(body: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.controller.abort();
    this.controller = new AbortController();
    const { signal } = this.controller;
    this.last = this.last.then(() => (signal.aborted ? undefined : body(signal)));
    return this.last;
  }

  /** Ends what is at work, and waits until it has ended. */
  end(): Promise<void> {
    this.controller.abort();
    return this.last;
  }
}
