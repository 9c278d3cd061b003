/**
 * The one generator behind everything random in the zoo: Threefry-2x32-20, a counter-based generator
 * (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A stream is named by a path (seed, "augment", epoch, index …), never by how many numbers were drawn before it. So a
 * run that is killed and resumed draws what it would have drawn, whatever was prefetched.
 */

const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Encrypts the counter (c0, c1) under the key (k0, k1); writes two unsigned 32-bit words to `out`. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number, out: Uint32Array): void {
  const k2 = 0x1bd11bda ^ k0 ^ k1;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = ROTATIONS[round & 7];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if ((round & 3) === 3) {
      const s = (round >> 2) + 1; // key injection number
      x0 = (x0 + (s % 3 === 0 ? k0 : s % 3 === 1 ? k1 : k2)) | 0;
      x1 = (x1 + ((s + 1) % 3 === 0 ? k0 : (s + 1) % 3 === 1 ? k1 : k2) + s) | 0;
    }
  }
  out[0] = x0;
  out[1] = x1;
}

/** FNV-1a: names become 32-bit words, so that they can stand in a path. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/** A stream of random numbers. */
export class Random {
  private counter = 0;
  private readonly words = new Uint32Array(2);
  private spare = false;

  /** @param k0 @param k1 the two words of the stream's key */
  constructor(
    private readonly k0: number,
    private readonly k1: number,
  ) {}

  /** The stream's name, for kernels that draw from its beginning on their own. */
  get key(): readonly [number, number] {
    return [this.k0, this.k1];
  }

  /** An integer in [0, 2³²). */
  word(): number {
    if (this.spare) {
      this.spare = false;
      return this.words[1];
    }
    threefry2x32(this.k0, this.k1, this.counter | 0, Math.floor(this.counter / 2 ** 32), this.words);
    this.counter++;
    this.spare = true;
    return this.words[0];
  }

  /** A number in [0, 1) with 24 random bits: exact in float32. */
  uniform(): number {
    return (this.word() >>> 8) / 2 ** 24;
  }

  /** An integer in [0, n), for n up to 2³². */
  integer(n: number): number {
    return Math.floor((this.word() / 2 ** 32) * n);
  }

  /** A number from the standard normal distribution (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}

/**
 * The stream at a path: equal paths give equal streams, different paths independent ones.
 *
 *   randomStream(seed, "shuffle", epoch)
 */
export function randomStream(...path: (string | number)[]): Random {
  const key = new Uint32Array(2);
  for (const part of path) {
    const word = typeof part === "string" ? hash(part) : part;
    threefry2x32(key[0], key[1], word | 0, typeof part === "string" ? 1 : 0, key);
  }
  return new Random(key[0] | 0, key[1] | 0);
}
