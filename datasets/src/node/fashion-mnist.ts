import type { ImageDataset } from "../types.ts";
import { debianPackageFiles } from "./debian-package.ts";
import { type DataSource, type FileSet, type LoadOptions, loadFiles } from "./file-set.ts";
import { idxFiles, idxImages, idxMirror } from "./mnist.ts";

const DEBIAN_PACKAGE = "dataset-fashion-mnist";
const DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist";

const debianPackage: DataSource = {
  name: `Debian package ${DEBIAN_PACKAGE}`,
  async fetch({ workFolder, progress }) {
    const entries = await debianPackageFiles(DEBIAN_PACKAGE, workFolder, progress);
    const prefix = `${DEBIAN_FOLDER.slice(1)}/`;
    return new Map(
      [...entries].map(([path, bytes]) => [path.startsWith(prefix) ? path.slice(prefix.length) : path, bytes]),
    );
  },
};

/** Fashion-MNIST (Xiao, Rasul & Vollgraf 2017). */
export const fashionMnistFiles: FileSet = {
  name: "fashion-mnist",
  title: "Fashion-MNIST",
  files: idxFiles([
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
  ]),
  folders: ["fashion-mnist", "FashionMNIST/raw"],
  systemFolders: [DEBIAN_FOLDER],
  sources: [
    idxMirror("fashion-mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
    idxMirror("fashion-mnist", "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
    debianPackage,
  ],
};

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images, 28x28x1, ten kinds of clothing.
 *
 * @throws InputError as `loadFiles` does
 */
export async function loadFashionMnist(
  options: LoadOptions = {},
  files: FileSet = fashionMnistFiles,
): Promise<ImageDataset> {
  return {
    name: "fashion-mnist",
    classes: ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
    mean: [0.286],
    std: [0.353],
    ...idxImages(await loadFiles(files, options), 10),
  };
}
