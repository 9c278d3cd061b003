import sharp, { type Metadata, type OutputInfo } from "sharp";
import { coverImage } from "../cover-image.ts";
import { InputError } from "../errors.ts";
import type { ImageSet } from "../types.ts";

/** Larger pictures are refused: decoding some formats needs several bytes a pixel at once. 2^28 is a square of 16,384. */
export const MAX_PIXELS = 2 ** 28;

/** Formats of pixels that every build of sharp reads; vector formats may refer to other files. */
const FORMATS: readonly string[] = ["jpeg", "png", "webp", "gif", "tiff", "heif"];

/**
 * Reads a picture's header only.
 *
 * @param input a path, or the file's bytes
 * @throws InputError where it is no picture that can be read, or has more than MAX_PIXELS
 */
export async function imageHeader(input: string | Uint8Array): Promise<Metadata> {
  const shown = typeof input === "string" ? input : "the image";
  let header: Metadata;
  try {
    header = await sharp(input, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw unreadable(shown, error);
  }
  if (!FORMATS.includes(header.format)) {
    throw new InputError(`${shown} is ${header.format}, which is not read here: give one of ${FORMATS.join(", ")}`);
  }
  const { width, height } = header;
  if (width * height > MAX_PIXELS) {
    throw new InputError(
      `${shown} is ${width}x${height} = ${width * height} pixels, more than the limit of ${MAX_PIXELS}: scale it down first`,
    );
  }
  return header;
}

/**
 * A picture of any size and kind as pixels of one shape: turned upright by its EXIF tag, scaled to cover the shape and
 * cropped around the centre, transparency laid on white, CMYK and 16 bits a channel brought to 8-bit sRGB. One channel
 * gives its brightness. Of several frames the first is taken.
 *
 * @param input a path, or the file's bytes
 * @param shape [height, width, channels], channels 1 or 3
 * @returns [height, width, channels], 0..255
 * @throws InputError where it is no picture that can be read, or has more than MAX_PIXELS
 */
export async function decodeImage(input: string | Uint8Array, shape: ImageSet["shape"]): Promise<Uint8Array> {
  const [height, width, channels] = shape;
  if (channels !== 1 && channels !== 3) throw new RangeError(`${channels} channels: 1 or 3`);
  await imageHeader(input);
  const picture = sharp(input, { limitInputPixels: MAX_PIXELS, failOn: "error" })
    .autoOrient()
    .resize(width, height, { fit: "cover" })
    .flatten({ background: "#ffffff" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" });
  let decoded: { data: Buffer; info: OutputInfo };
  try {
    decoded = await picture.toBuffer({ resolveWithObject: true });
  } catch (error) {
    throw unreadable(typeof input === "string" ? input : "the image", error);
  }
  const { data, info } = decoded;
  if (info.channels === channels) return data;
  const pixels = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < channels; c++)
      pixels[i * channels + c] = data[i * info.channels + (info.channels >= 3 ? c : 0)];
  }
  return pixels;
}

/** Above this many pixels a picture is scaled while it is decoded; all of them at once would need 200 MB. */
const MAX_WHOLE = 2 ** 26;

/**
 * One picture as a network sees it: like `decodeImage`, but scaled by `coverImage`, so that a page that decodes the same
 * picture gives a network the same numbers. Slower where a picture is large.
 *
 * @throws InputError as `decodeImage` does
 */
export async function decodePicture(input: string | Uint8Array, shape: ImageSet["shape"]): Promise<Uint8Array> {
  const { width, height } = await imageHeader(input);
  if (width * height > MAX_WHOLE) return decodeImage(input, shape);
  const picture = sharp(input, { limitInputPixels: MAX_WHOLE, failOn: "error" })
    .autoOrient()
    .toColourspace("srgb")
    .raw({ depth: "uchar" });
  try {
    const { data, info } = await picture.toBuffer({ resolveWithObject: true });
    return coverImage({ data, width: info.width, height: info.height, channels: laidOnWhite(data, info) }, shape);
  } catch (error) {
    throw unreadable(typeof input === "string" ? input : "the image", error);
  }
}

/**
 * Lays transparency on white in place, rounded to the nearest value as in a canvas, where libvips rounds down.
 *
 * @param data [height, width, channels], the last of 2 or 4 channels being alpha
 */
function laidOnWhite(data: Uint8Array, { channels }: Pick<OutputInfo, "channels">): 1 | 2 | 3 | 4 {
  if (channels % 2 === 1) return channels;
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const alpha = data[pixel + channels - 1] / 255;
    for (let i = pixel; i < pixel + channels - 1; i++) data[i] = Math.round(data[i] * alpha + 255 * (1 - alpha));
  }
  return channels;
}

function unreadable(shown: string, error: unknown): InputError {
  const why = (error as Error).message.replace(/\s+/g, " ").trim();
  if (/missing|ENOENT|no such file/i.test(why))
    return new InputError(`${shown} does not exist: give the path of a picture`);
  return new InputError(
    `${shown} cannot be read as a picture (${why}): give a whole JPEG, PNG, WebP, GIF, TIFF or AVIF file`,
  );
}
