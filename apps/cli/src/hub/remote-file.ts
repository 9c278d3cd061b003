import { UsageError } from "../context.ts";

/** A file elsewhere. */
export interface RemoteFile {
  readonly url: string;
  /** its name, without anything that a path could be made of */
  readonly file: string;
  /** hosted on the Hugging Face hub, which says the SHA-256 of what it stores */
  readonly isOnHub: boolean;
  /** what tells it from others: the repository's name or the file's */
  readonly title: string;
}

/**
 * What an address means: hf:OWNER/REPO[/FILE] (`HF_ENDPOINT` may name another hub), or a URL.
 *
 * @throws UsageError for what is neither
 */
export function remoteFile(address: string): RemoteFile {
  const onHub = /^hf:([\w-][\w.-]*)\/([\w-][\w.-]*)(?:\/(.+))?$/.exec(address);
  if (onHub) {
    const [, owner, repo, path = "model.safetensors"] = onHub;
    const parts = path.split("/");
    if (parts.some((part) => ["", ".", ".."].includes(part))) throw new UsageError(`there can be no file ${address}`);
    const endpoint = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
    const url = `${endpoint}/${owner}/${repo}/resolve/main/${parts.map(encodeURIComponent).join("/")}`;
    return { url, file: plain(parts[parts.length - 1]), isOnHub: true, title: plain(repo) };
  }
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
    throw new UsageError(
      `pull got "${address}"; expected a name (zoo pull lists them), hf:OWNER/REPO/FILE, or an https address`,
    );
  }
  const file = plain(decoded(url.pathname.slice(url.pathname.lastIndexOf("/") + 1))) || "weights";
  return { url: url.href, file, isOnHub: false, title: file.replace(/\.\w+$/, "") };
}

/** A name for a file or folder: letters, digits, and -_. but not at the beginning. */
export const plain = (name: string): string =>
  name
    .replace(/[^\w.-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 100);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
