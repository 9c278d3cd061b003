import { InputError } from "@tfjs-zoo/models";

const REASONS: Record<string, { what: string; remedy: string }> = {
  ENOSPC: { what: "the disk is full", remedy: "free some space or choose a folder on another disk" },
  EDQUOT: { what: "the disk quota is used up", remedy: "free some space or choose a folder on another disk" },
  EFBIG: {
    what: "the file would exceed the size limit",
    remedy: "raise the limit (ulimit -f) or choose another disk",
  },
  EACCES: { what: "permission was denied", remedy: "make the folder writable or choose another one" },
  EPERM: { what: "the operation is not permitted", remedy: "make the folder writable or choose another one" },
  EROFS: { what: "the file system is read-only", remedy: "choose a folder on a writable disk" },
  ENOENT: { what: "its folder does not exist", remedy: "create the folder or choose another one" },
  ENOTDIR: { what: "a part of the path is a file, not a folder", remedy: "choose another folder" },
  EISDIR: { what: "there is a folder of that name", remedy: "remove the folder or choose another name" },
  EIO: { what: "the disk reported an error", remedy: "check the disk or choose another one" },
};

export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/**
 * The one-line InputError for a failed write, or the error itself where it is none that a user can cause.
 *
 * @param bytes how many bytes the write needed
 * @param aftermath what is true of the disk now, e.g. "the previous file is intact"
 */
export function describeWriteError(error: unknown, path: string, bytes: number, aftermath: string): unknown {
  const reason = REASONS[errorCode(error) ?? ""];
  if (!reason) return error;
  const needed = `${bytes.toLocaleString("en-GB")} byte${bytes === 1 ? "" : "s"} needed`;
  const message = `Can't write ${path} (${needed}): ${reason.what}; ${reason.remedy}; ${aftermath}`;
  return new InputError(message, { cause: error });
}
