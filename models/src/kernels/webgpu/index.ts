export { type AdapterInfo, adapterText, deviceText, isSoftwareAdapter, isSoftwareDevice } from "./adapter.ts";
export { suitAdapter } from "./suit-adapter.ts";
