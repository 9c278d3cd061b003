export { cacheFolder } from "./cache-folder.ts";
export { type BackendDiagnosis, type Diagnosis, diagnose } from "./diagnose.ts";
export { installedNative, setupNative } from "./native-setup.ts";
export { type StartResult, startBackend } from "./start-backend.ts";
export {
  type BackendName,
  type BackendOptions,
  type BackendStatus,
  backendNames,
  type Progress,
  type ProgressEvent,
} from "./types.ts";
export { graphicsCard } from "./webgpu.ts";
