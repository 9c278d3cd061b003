/**
 * Colours for the numbers 0 to 1, from near black over violet and orange to pale yellow, at equal steps of perceived
 * difference: a path through OKLab (Ottosson 2020, "A perceptual color space for image processing") on which lightness
 * rises all the way, so that it reads in grey and with any colour vision, too.
 */
type Lab = [lightness: number, a: number, b: number];

const COLOURS = 256;
const FINE = 2048;

/** [256 · 3], sRGB bytes; made when a first colour is asked for, so that a page that draws none does not pay for it */
let table: Uint8Array | undefined;

/** The colour of a number in 0..1, sRGB: what is outside is taken for the end. */
export function heatColour(value: number): [red: number, green: number, blue: number] {
  table ??= colours();
  const at = 3 * Math.min(COLOURS - 1, Math.max(0, Math.round(value * (COLOURS - 1))));
  return [table[at], table[at + 1], table[at + 2]];
}

function colours(): Uint8Array {
  const path = Array.from({ length: FINE + 1 }, (_, i) => onPath(i / FINE));
  const along = [0]; // length of the path up to each of its points
  for (let i = 1; i <= FINE; i++) along.push(along[i - 1] + labDistance(path[i - 1], path[i]));
  const bytes = new Uint8Array(3 * COLOURS);
  for (let i = 0, at = 0; i < COLOURS; i++) {
    while (at < FINE && along[at] < (along[FINE] * i) / (COLOURS - 1)) at++;
    bytes.set(
      linearRgb(path[at]).map((light) => Math.round(255 * encoded(Math.min(1, Math.max(0, light))))),
      3 * i,
    );
  }
  return bytes;
}

/** Lightness and hue go evenly, the latter from blue over red to yellow; as colourful as a screen can. */
function onPath(t: number): Lab {
  const lightness = 0.1 + 0.87 * t;
  const hue = ((285 + 185 * t) * Math.PI) / 180;
  const lab = (chroma: number): Lab => [lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)];
  let chroma = 0.03 + 0.17 * Math.sin(Math.PI * t) + 0.06 * t;
  while (linearRgb(lab(chroma)).some((light) => light < 0 || light > 1)) chroma -= 0.001;
  return lab(chroma);
}

export function labDistance(a: Lab, b: Lab): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function linearRgb([lightness, a, b]: Lab): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** sRGB's transfer function. */
function encoded(light: number): number {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
}

/** The OKLab colour of an sRGB one. */
export function labOf(rgb: readonly [number, number, number]): Lab {
  const [r, g, b] = rgb.map((byte) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
