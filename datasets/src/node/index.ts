export * from "../index.ts";
export { cacheDir, makeFolder } from "./cache.ts";
export { checkDatasetName, datasetNames, datasetStatus, type LoadDatasetOptions, loadDataset } from "./datasets.ts";
export { decodeImage, decodePicture, MAX_PIXELS } from "./decode-image.ts";
export type { FileSetStatus as DatasetStatus } from "./file-set.ts";
export { type ImageFolderOptions, loadImageFolder } from "./image-folder.ts";
