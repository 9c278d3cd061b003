/**
 * The eigenvalues of a symmetric matrix, without its eigenvectors: at the 2,048 features of Inception that is seconds, where
 * a decomposition with them (ml-matrix) takes many minutes. Householder reflections make the matrix tridiagonal, and
 * QL steps with implicit shifts make that diagonal (Golub & Van Loan 2013, "Matrix computations", sec. 8.3; Bowdler,
 * Martin, Reinsch & Wilkinson 1968).
 */
import { dot } from "./dot.ts";

/**
 * @param matrix [n, n], symmetric; overwritten
 * @returns [n], in no order
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const { diagonal, beside } = tridiagonal(matrix, n);
  diagonalise(diagonal, beside);
  return diagonal;
}

/**
 * A ← H A H, H = I − 2 u uᵀ / (uᵀ u), once for each row from the last, so that nothing but the diagonal and its
 * neighbours remains.
 *
 * @returns the diagonal [n], and what stands right of it [n], 0 at the end
 */
function tridiagonal(a: Float64Array, n: number): { diagonal: Float64Array; beside: Float64Array } {
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  const u = new Float64Array(n);
  const p = new Float64Array(n);
  for (let m = n - 1; m > 0; m--) {
    // u reflects the first m numbers of row m onto the last of them.
    for (let j = 0; j < m; j++) u[j] = a[m * n + j];
    diagonal[m] = a[m * n + m];
    const length = Math.sqrt(dot(u, 0, u, 0, m));
    const image = u[m - 1] > 0 ? -length : length;
    beside[m - 1] = image;
    u[m - 1] -= image;
    const h = dot(u, 0, u, 0, m) / 2;
    if (h === 0) continue; // nothing stands there
    // p = A u / h, of A's lower half: row j gives its own product, and what it adds to those above.
    p.fill(0, 0, m);
    for (let j = 0; j < m; j++) {
      const row = j * n;
      let sum = 0;
      const uj = u[j];
      for (let k = 0; k < j; k++) {
        sum += a[row + k] * u[k];
        p[k] += a[row + k] * uj;
      }
      p[j] += sum + a[row + j] * uj;
    }
    for (let j = 0; j < m; j++) p[j] /= h;
    const share = dot(u, 0, p, 0, m) / (2 * h);
    for (let j = 0; j < m; j++) p[j] -= share * u[j];
    for (let j = 0; j < m; j++) {
      const row = j * n;
      const [uj, pj] = [u[j], p[j]];
      for (let k = 0; k <= j; k++) a[row + k] -= uj * p[k] + pj * u[k]; // A − u pᵀ − p uᵀ
    }
  }
  diagonal[0] = a[0];
  return { diagonal, beside };
}

/** Each eigenvalue takes two or three steps; more than so many would be an error in this code. */
const MOST_STEPS = 60;

/** @param d the diagonal [n], which becomes the eigenvalues  @param e what stands beside it [n]; overwritten */
function diagonalise(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let first = 0; first < n; first++) {
    for (let steps = 0; ; steps++) {
      let last = first;
      while (last + 1 < n && Math.abs(e[last]) > Number.EPSILON * (Math.abs(d[last]) + Math.abs(d[last + 1]))) last++;
      if (last === first) break;
      if (steps === MOST_STEPS) throw new Error("eigenvalues of a symmetric matrix did not converge");
      qlStep(d, e, first, last);
    }
  }
}

/** A QL step on rows first … last with Wilkinson's shift: rotations carry what it makes beside the diagonal upwards. */
function qlStep(d: Float64Array, e: Float64Array, first: number, last: number): void {
  const half = (d[first + 1] - d[first]) / (2 * e[first]);
  const root = Math.hypot(half, 1);
  let g = d[last] - d[first] + e[first] / (half + (half >= 0 ? root : -root));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * e[i];
    const b = cosine * e[i];
    const r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= moved;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1] - moved;
    const t = (d[i] - g) * sine + 2 * cosine * b;
    moved = sine * t;
    d[i + 1] = g + moved;
    g = cosine * t - b;
  }
  d[first] -= moved;
  e[first] = g;
  e[last] = 0;
}
