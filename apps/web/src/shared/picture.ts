import type { Picture } from "@tfjs-zoo/datasets";
import { InputError } from "@tfjs-zoo/models";
import type { Picture as Painting } from "@tfjs-zoo/training/charts";

/** Larger pictures are refused: decoding one needs four bytes a pixel. */
const MAX_PIXELS = 100e6;

/** Canvases of more pixels than this don't work everywhere; larger pictures are drawn smaller first. */
const MAX_CANVAS = 2 ** 24;

/**
 * A picture on a canvas: upright, transparency laid on white.
 *
 * @param name of the file, for messages
 * @throws InputError when it can't be read as a picture, or is too large
 */
export async function openPicture(file: Blob, name: string): Promise<HTMLCanvasElement> {
  const unreadable = new InputError(
    `${name} can't be read as a picture: give a whole JPEG, PNG, WebP, GIF or AVIF file`,
  );
  if (file.size === 0 || file.type === "image/svg+xml") throw unreadable;
  const url = URL.createObjectURL(file);
  const image = new Image();
  try {
    await new Promise((resolve, reject) => {
      image.onload = resolve;
      image.onerror = reject;
      image.src = url;
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width * height > MAX_PIXELS) {
      throw new InputError(
        `${name} has ${width}×${height} pixels, more than the limit of ${MAX_PIXELS / 1e6} million: scale it down first`,
      );
    }
    // Unlike an image element, this finds out that a file is cut short.
    const bitmap = await createImageBitmap(file);
    try {
      return drawn(bitmap, bitmap.width, bitmap.height);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    throw error instanceof InputError ? error : unreadable;
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Draws a source on a canvas of its own, on white. */
export function drawn(source: CanvasImageSource, width: number, height: number): HTMLCanvasElement {
  const scale = Math.min(1, Math.sqrt(MAX_CANVAS / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(width * scale));
  canvas.height = Math.max(1, Math.floor(height * scale));
  const context = contextOf(canvas);
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The pixels of a canvas. */
export function pixelsOf(canvas: HTMLCanvasElement): Picture {
  const { width, height } = canvas;
  return { data: contextOf(canvas).getImageData(0, 0, width, height).data, width, height, channels: 4 };
}

/** Shows a picture of the charts on a canvas, a pixel on a pixel; the canvas is hidden while there is none. */
export function paint(canvas: HTMLCanvasElement, picture: Painting | undefined): void {
  canvas.hidden = picture === undefined;
  if (picture === undefined) return;
  const { pixels, width, height } = picture;
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set(pixels.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  contextOf(canvas).putImageData(image, 0, 0);
}

/** A canvas's context, for pixels that are read back. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
}

/** Draws the part of a picture that covers a canvas, as `coverImage` crops it. */
export function drawCovering(source: HTMLCanvasElement, canvas: HTMLCanvasElement): void {
  const { width, height } = canvas;
  const scale = Math.min(source.width / width, source.height / height);
  const [w, h] = [width * scale, height * scale];
  const context = contextOf(canvas);
  context.imageSmoothingEnabled = scale > 0.25; // single pixels of a small picture stay visible
  context.imageSmoothingQuality = "high";
  context.drawImage(source, (source.width - w) / 2, (source.height - h) / 2, w, h, 0, 0, width, height);
}
