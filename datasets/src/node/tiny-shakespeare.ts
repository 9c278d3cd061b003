import { decodeText } from "../decode-text.ts";
import { splitText } from "../split-text.ts";
import type { TextDataset } from "../types.ts";
import { download } from "./download.ts";
import { type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";

const FILE = "input.txt";
const BYTES = 1_115_394;

/** The 40,000 lines of Shakespeare that char-rnn (Karpathy 2015) came with. */
export const tinyShakespeareFiles: FileSet = {
  name: "tiny-shakespeare",
  title: "tiny-shakespeare",
  files: [
    {
      name: FILE,
      checksum: { algorithm: "sha256", hex: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed" },
      bytes: BYTES,
    },
  ],
  folders: ["tiny-shakespeare", "tinyshakespeare"],
  sources: [
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/input.txt",
    "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
  ].map((url) => ({
    name: url,
    async fetch({ workFolder, progress }) {
      const name = `tiny-shakespeare-${FILE}`;
      return new Map([[FILE, await download({ url, folder: workFolder, name, limit: 2 * BYTES, progress })]]);
    },
  })),
};

/**
 * tiny-shakespeare: 1,115,394 characters of plays, the first nine tenths to train on.
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadTinyShakespeare(
  options: LoadOptions = {},
  files: FileSet = tinyShakespeareFiles,
): Promise<TextDataset> {
  const text = decodeText((await loadFiles(files, options)).get(FILE) as Uint8Array, FILE);
  return { name: files.name, ...splitText(text, files.name) };
}
