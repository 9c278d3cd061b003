import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "@tfjs-zoo/models";

/** The folder of the Python environment that is used unless another is named: outside the project, shared by checkouts. */
const environment = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "zoo-peer");

const python = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];

const install =
  "python3 -m venv ~/.cache/zoo-peer && ~/.cache/zoo-peer/bin/pip install --retries 0 torch==2.13.0 numpy";

/**
 * The Python that runs PyTorch.
 *
 * @param path where the user says that it is; without, ~/.cache/zoo-peer/bin/python
 * @throws InputError that says how to install it when it is not there
 */
export function peerPython(path?: string): string {
  if (path !== undefined) {
    // A bare name is looked up along PATH when it is started.
    if (/[\\/]/.test(path) && !existsSync(path)) throw new InputError(`--python ${path}: there is no such file`);
    return path;
  }
  const standard = join(environment, ...python);
  if (!existsSync(standard)) {
    throw new InputError(`no PyTorch to compare with: install it once (${install}), or name its Python with --python`);
  }
  return standard;
}
