import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failure, serve, setEnvironment, temporaryFolder } from "../../test/support.ts";
import { datasetNames, datasetStatus, loadDataset } from "./datasets.ts";
import { factSets } from "./facts.ts";
import { loadFiles } from "./file-set.ts";
import { idxMirror, mnistFiles } from "./mnist.ts";
import { pairDatasetNames, textDatasetNames } from "./text-datasets.ts";

describe("loadDataset", () => {
  it.each([
    ["cifar", "cifar10"],
    ["minst", "mnist"],
    ["fashion_mnist", "fashion-mnist"],
    ["constructor", "cifar10"],
  ])("names the nearest right name for %s", async (name) => {
    expect(await failure(loadDataset(name))).toMatch(
      new RegExp(
        `^InputError: unknown data set "${name}": did you mean "[a-z0-9-]+"\\? There are cifar10, cifar100, mnist, fashion-mnist, folder:PATH$`,
      ),
    );
  });

  it("finds the nearest name", async () => {
    expect(await failure(loadDataset("minst"))).toContain('did you mean "mnist"');
    expect(await failure(loadDataset("cifar-10"))).toContain('did you mean "cifar10"');
  });

  it("needs a path after folder:", async () => {
    expect(await failure(loadDataset("folder:"))).toContain("give folder:PATH");
    expect(await failure(loadDataset("folder:/no/such/place"))).toContain("/no/such/place does not exist");
  });

  it.each(datasetNames)(
    "says how to place %s by hand where nothing is cached and there is no network",
    async (name) => {
      setEnvironment({ ZOO_CACHE_DIR: join(await temporaryFolder(), "cache"), ZOO_DATA_DIR: undefined });
      const message = await failure(
        loadDataset(name, { offline: true }).then(
          (d) => d,
          (error) => Promise.reject(error),
        ),
      );
      expect(message).toMatch(
        /is not in the cache .* downloads are switched off\. Or put .* and set ZOO_DATA_DIR=FOLDER$/,
      );
    },
  );

  it("goes through a mirror's files and reports which answer was wrong", async () => {
    setEnvironment({ ZOO_CACHE_DIR: join(await temporaryFolder(), "cache"), ZOO_DATA_DIR: undefined });
    const asked: (string | undefined)[] = [];
    const base = await serve((request, response) => {
      asked.push(request.url);
      response.end("no data");
    });
    const message = await failure(loadFiles({ ...mnistFiles, sources: [idxMirror("mnist", base)] }));
    expect(asked).toEqual(mnistFiles.files.map(({ name }) => `/${name}`));
    expect(message).toMatch(
      /train-images-idx3-ubyte\.gz is damaged: it has md5 \w{32} \(7 bytes\) instead of 6bbc9ace898e44ae57da46a324031adb/,
    );
  });
});

describe("datasetStatus", () => {
  it("lists every set that is fetched, here or not", async () => {
    setEnvironment({ ZOO_CACHE_DIR: join(await temporaryFolder(), "cache"), ZOO_DATA_DIR: undefined });
    const status = await datasetStatus();
    const fetched = pairDatasetNames.filter((name) => !Object.hasOwn(factSets, name)); // those are written here
    expect(status.map(({ name }) => name)).toEqual([...datasetNames, ...textDatasetNames, ...fetched]);
    for (const { source } of status) expect(source).toMatch(/./);
  });
});
