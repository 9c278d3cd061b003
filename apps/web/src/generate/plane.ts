import { FAR, type Spot } from "./latent-map.ts";
import { nameOf, signed } from "./number-list.ts";

/** A plane through the space of z: what lies at each spot of its map. */
export interface Plane {
  at(spot: Spot): number[];
  /** a spot in words */
  name(spot: Spot): string;
}

/** The plane of two numbers of z, through the middle of the space. */
export const planeOfNumbers = (latent: number, axes: { across: number; up: number }): Plane => ({
  at({ across, up }) {
    const z = new Array<number>(latent).fill(0);
    [z[axes.across], z[axes.up]] = [across, up];
    return z;
  },
  name: ({ across, up }) => `${nameOf(axes.across)} = ${signed(across)}, ${nameOf(axes.up)} = ${signed(up)}`,
});

/** What lies between four z: the top left one of the map, the top right, the bottom left and the bottom right one. */
export const planeOfCorners = ([
  topLeft,
  topRight,
  bottomLeft,
  bottomRight,
]: readonly (readonly number[])[]): Plane => ({
  at(spot) {
    const [right, top] = shares(spot);
    const mix = (a: number, b: number, share: number) => (1 - share) * a + share * b;
    return topLeft.map((_, i) =>
      mix(mix(bottomLeft[i], bottomRight[i], right), mix(topLeft[i], topRight[i], right), top),
    );
  },
  name(spot) {
    const [right, top] = shares(spot).map((share) => Math.round(100 * share));
    return `${right}\u00a0% to the right, ${top}\u00a0% up`;
  },
});

const shares = ({ across, up }: Spot) => [across, up].map((value) => (value + FAR) / (2 * FAR));
