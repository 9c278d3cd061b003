import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { findClassifier } from "@tfjs-zoo/models";
import type { Command } from "commander";
import { closest } from "fastest-levenshtein";
import {
  asUsage,
  backendOption,
  type CommonFlags,
  createOutput,
  jsonOption,
  type Output,
  UsageError,
} from "../context.ts";
import { fetchWeights, hubFolder, pulledWeights } from "../hub/fetch-weights.ts";
import { type Hosted, hosted } from "../hub/hosted.ts";
import { plain, remoteFile } from "../hub/remote-file.ts";
import { importClassifier, importLines, nextCommand, normalisationOf } from "../import-classifier.ts";
import { pretrainedFolder } from "../pretrained.ts";
import { formatBytes } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { type AboutFlags, aboutOptions } from "./import.ts";

interface PullFlags extends CommonFlags, AboutFlags {
  model?: string;
  as?: string;
  sha256?: string;
}

export function registerPull(program: Command): void {
  const command = program
    .command("pull")
    .description(
      "weights that others host, fetched into the user's cache and imported; without a name: which there are",
    )
    .argument("[what]", "NAME.TAG, hf:OWNER/REPO/FILE, or an https address")
    .option("--model <name>", "the network that they are of (of a name it is known)")
    .option("--as <name>", "their name from now on (default: by network and file)")
    .option("--sha256 <hex>", "of the file: 64 digits, or the first 8");
  for (const option of aboutOptions()) command.addOption(option);
  command
    .addOption(backendOption())
    .addOption(jsonOption())
    .action((what: string | undefined, flags: PullFlags) =>
      what === undefined ? listHosted(createOutput(flags)) : pull(what, flags),
    );
}

function listHosted(output: Output): void {
  const rows = [...hosted.values()].map(({ name, dataset, licence, bytes, address }) => ({
    name,
    dataset,
    licence,
    bytes,
    address,
    here: pulledWeights(name) !== undefined,
  }));
  output.result(rows, () =>
    formatTable(
      rows.map(({ name, here, dataset, licence, address }) => ({
        name,
        here: here ? "yes" : "no",
        dataset,
        licence,
        host: new URL(remoteFile(address).url).host,
      })),
      [{ key: "name" }, { key: "here" }, { key: "dataset" }, { key: "licence" }, { key: "host" }],
    ),
  );
}

async function pull(what: string, flags: PullFlags): Promise<void> {
  const output = createOutput(flags);
  const known = hosted.get(what) ?? unlisted(what, flags);
  const { dataset = known.dataset, classes } = flags;
  const sha256 = flags.sha256?.toLowerCase() ?? known.sha256;
  const remote = remoteFile(known.address);
  if (sha256 !== undefined && !/^([0-9a-f]{8}|[0-9a-f]{64})$/.test(sha256)) {
    throw new UsageError(`--sha256 got "${sha256}"; expected 64 digits of 0-9 and a-f, or the first 8`);
  }
  if (remote.url.startsWith("http:") && !remote.isOnHub && sha256 === undefined) {
    throw new UsageError(
      `anybody on the way can change what comes from ${remote.url}: give an https address or --sha256`,
    );
  }
  const entry = asUsage(() => findClassifier(known.model));
  const normalisation = asUsage(() => normalisationOf(flags.normalisation, entry)) ?? known.normalisation;
  const name = flags.as ?? known.name ?? nameFor(entry.name, remote.title);
  if (existsSync(join(pretrainedFolder(), name)))
    throw new UsageError(`--as got "${name}", which ships with the zoo: give another name`);
  if (plain(name) !== name || name === "") throw new UsageError(`--as got "${name}"; expected letters, digits and .-_`);

  const there = pulledWeights(name);
  if (there !== undefined) {
    return output.result({ name, file: there, fetched: false }, () => `${name} is here already: ${there}`);
  }
  const fetched = await fetchWeights({
    name,
    remote,
    sha256,
    bytes: known.bytes,
    // Weights in float64, their average, and an optimizer's two moments of them.
    limit: 64e6 + 32 * entry.params,
    progress: output.progress.update,
  });
  const out = join(hubFolder(name), "model.safetensors");
  const options = { entry, out, dataset, classes, normalisation };
  try {
    const imported = await importClassifier(fetched.path, fetched.bytes, options, flags, output);
    if (fetched.isOurs) await rm(fetched.path);
    output.result({ name, file: out, fetched: fetched.isOurs, verified: fetched.isVerified, ...imported }, () =>
      [
        `${name}: ${formatBytes(fetched.bytes.length)}${fetched.isVerified ? ", SHA-256 as expected" : ""}${known.licence ? `, under ${known.licence}` : ""}`,
        ...importLines(imported),
        nextCommand(name, imported.dataset),
      ].join("\n"),
    );
  } catch (error) {
    // What nothing vouches for may be half a file: a later pull shall fetch it again.
    if (fetched.isOurs && !fetched.isVerified) await rm(fetched.path, { force: true });
    throw error;
  }
}

/** What is not in the list: an address, whose network the user says. */
function unlisted(
  what: string,
  { model }: PullFlags,
): Omit<Partial<Hosted>, "model" | "address"> & Pick<Hosted, "model" | "address"> {
  if (!what.includes(":")) {
    const names = [...hosted.keys()];
    throw new UsageError(
      `nobody hosts "${what}", as far as is known here: did you mean "${closest(what, names)}"? (zoo pull lists ${names.length}; else hf:OWNER/REPO/FILE or an https address)`,
    );
  }
  remoteFile(what);
  if (model === undefined) throw new UsageError(`say which network ${what} is of: --model NAME`);
  return { model, address: what };
}

const nameFor = (model: string, title: string): string => (title.startsWith(`${model}.`) ? title : `${model}.${title}`);
