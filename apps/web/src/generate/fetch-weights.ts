import { verifyWeights } from "@tfjs-zoo/models/weights";
import { fetchFile } from "../shared/fetch-file.ts";
import type { Pretrained } from "../shared/pretrained.ts";

/**
 * Fetches weights, and makes sure that they are those of their card.
 *
 * @param entry its file has an absolute address  @param say is told how much of them is here, whenever that changes
 * @throws InputError when they can't be had, or are others
 */
export async function fetchWeights({ name, card, file }: Pretrained, say: (text: string) => void): Promise<Uint8Array> {
  let said = "";
  const bytes = await fetchFile(file, card.bytes, (share) => {
    const line = `Fetching ${name}: ${Math.round(100 * share)}\u00a0%`;
    if (line !== said) say(line);
    said = line;
  });
  await verifyWeights(card, bytes);
  return bytes;
}
