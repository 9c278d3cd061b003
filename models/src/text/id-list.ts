/** Ids, appended one at a time: a text may have more of them than a JavaScript array can hold. */
export class IdList {
  private ids = new Int32Array(256);
  private count = 0;

  push(id: number): void {
    if (this.count === this.ids.length) {
      const larger = new Int32Array(2 * this.count);
      larger.set(this.ids);
      this.ids = larger;
    }
    this.ids[this.count++] = id;
  }

  get length(): number {
    return this.count;
  }

  /** Takes back the ids from a place on. */
  truncate(length: number): void {
    this.count = Math.min(this.count, length);
  }

  toArray(): Int32Array {
    return this.ids.slice(0, this.count);
  }
}
