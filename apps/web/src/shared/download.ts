import { make } from "./dom.ts";

/** Gives the visitor a file to save. @returns its name */
export function download(bytes: Uint8Array, name: string): string {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart]));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return name;
}
