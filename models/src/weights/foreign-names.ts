/**
 * How others name the weights of our networks, and how their names become ours (torchvision's). A rule is tried on all
 * names at once, and kept where more of them then fit.
 */

type Rule = readonly [what: string, rename: (name: string) => string];

const rules: readonly Rule[] = [
  // torch.nn.DataParallel, torch.compile, and modules that wrap a network
  ...["module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder."].map(
    (prefix): Rule => [`without ${prefix}`, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name)],
  ),
  ["linear -> fc", (name) => name.replace(/^linear\./, "fc.")],
  ["linear -> classifier", (name) => name.replace(/^linear\./, "classifier.")],
  ["head -> fc", (name) => name.replace(/^head\.(fc\.)?/, "fc.")],
  ["head -> classifier", (name) => name.replace(/^head\.(fc\.)?/, "classifier.")],
  ["fc -> classifier", (name) => name.replace(/^fc\./, "classifier.")],
  ["classifier -> fc", (name) => name.replace(/^classifier\./, "fc.")],
  ["shortcut -> downsample", (name) => name.replace(/\.shortcut\.(\d)\./, ".downsample.$1.")],
  ["norm.1 -> norm1", (name) => name.replace(/\.(norm|conv)\.([12])\./, ".$1$2.")], // DenseNets of torchvision before 0.2
  ["stages of a list", (name) => name.replace(/^(?:layers|stages)\.(\d+)\./, (_, n) => `layer${Number(n) + 1}.`)],
  ["stage -> layer", (name) => name.replace(/^(?:stage_|stage|block|group)(\d)\./, "layer$1.")],
];

/**
 * Renames tensors of another's file.
 *
 * @param names in the file
 * @param wanted names of the network
 * @returns their names in the network by their names in the file, and the rules that helped
 */
export function matchNames(
  names: readonly string[],
  wanted: ReadonlySet<string>,
): { renamed: Map<string, string>; applied: string[] } {
  let current = new Map(names.map((name) => [name, name]));
  const applied: string[] = [];
  const fitting = (map: ReadonlyMap<string, string>) =>
    new Set([...map.values()].filter((name) => wanted.has(name))).size;
  // A prefix may hide behind another, and a head's name behind a prefix: once more for each rule.
  for (let round = 0; round < 3; round++) {
    for (const [what, rename] of rules) {
      const next = new Map([...current].map(([name, now]) => [name, rename(now)]));
      const touched = [...next].some(([name, now]) => now !== current.get(name));
      const all = [...next].every(([name, now]) => now !== current.get(name));
      const prefix = what.startsWith("without ") && all;
      if (!touched || !(fitting(next) > fitting(current) || (prefix && fitting(next) >= fitting(current)))) continue;
      current = next;
      applied.push(what);
    }
  }
  return { renamed: current, applied };
}
