export * from "../index.ts";
export { cacheDir, makeFolder, writableFolder, writeAtomically } from "./cache.ts";
export { type Checksum, digest, mismatch } from "./checksum.ts";
export { checkDatasetName, datasetNames, datasetStatus, type LoadDatasetOptions, loadDataset } from "./datasets.ts";
export { decodeImage, decodePicture, MAX_PIXELS } from "./decode-image.ts";
export { checkDocumentDatasetName, documentDatasetNames, loadDocuments } from "./document-datasets.ts";
export { type DownloadOptions, download } from "./download.ts";
export type { FileSetStatus as DatasetStatus } from "./file-set.ts";
export { type ImageFolderOptions, loadImageFolder } from "./image-folder.ts";
export {
  checkLabelledTextName,
  isLabelledTexts,
  labelledTextNames,
  loadLabelledTexts,
} from "./labelled-datasets.ts";
export {
  checkPairDatasetName,
  checkTextDatasetName,
  type LoadPairOptions,
  loadPairDataset,
  loadTextDataset,
  pairDatasetNames,
  textDatasetNames,
} from "./text-datasets.ts";
