import { randomStream } from "@tfjs-zoo/models";
import { describe, expect, it } from "vitest";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

const sorted = (values: Float64Array) => [...values].sort((a, b) => a - b);

describe("symmetricEigenvalues", () => {
  it("are 2 − 2 cos(π k / (n + 1)) of the second difference", () => {
    const n = 40;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      matrix[i * n + i] = 2;
      if (i > 0) matrix[i * n + i - 1] = matrix[(i - 1) * n + i] = -1;
    }
    const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos((Math.PI * (k + 1)) / (n + 1)));
    for (const [i, value] of sorted(symmetricEigenvalues(matrix, n)).entries()) {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-13);
    }
  });

  it("are what a matrix was made of, equal ones and zeros too", () => {
    const n = 33;
    const random = randomStream(0, "eigenvalues");
    const given = Array.from({ length: n }, (_, i) => (i < 10 ? 0 : i < 20 ? 3 : random.normal()));
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) matrix[i * n + i] = given[i];
    for (let turn = 0; turn < 5; turn++)
      reflect(
        matrix,
        n,
        Float64Array.from({ length: n }, () => random.normal()),
      );
    const expected = given.toSorted((a, b) => a - b);
    for (const [i, value] of sorted(symmetricEigenvalues(matrix, n)).entries()) {
      expect(Math.abs(value - expected[i])).toBeLessThan(1e-13);
    }
  });

  it("are known for one number, for zeros and for a diagonal", () => {
    expect([...symmetricEigenvalues(Float64Array.of(-2), 1)]).toEqual([-2]);
    expect([...symmetricEigenvalues(new Float64Array(9), 3)]).toEqual([0, 0, 0]);
    expect(sorted(symmetricEigenvalues(Float64Array.of(3, 0, 0, 0, 1, 0, 0, 0, 2), 3))).toEqual([1, 2, 3]);
  });
});

/** A ← H A H with H = I − 2 u uᵀ / (uᵀ u), which leaves the eigenvalues. */
function reflect(a: Float64Array, n: number, u: Float64Array): void {
  const scale = 2 / u.reduce((sum, x) => sum + x * x, 0);
  for (const [across, along] of [
    [1, n],
    [n, 1],
  ]) {
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let j = 0; j < n; j++) product += a[i * across + j * along] * u[j];
      for (let j = 0; j < n; j++) a[i * across + j * along] -= scale * product * u[j];
    }
  }
}
