export * from "./beam-search.ts";
export type { Decoder, DecodingOptions } from "./decoder.ts";
export * from "./row-by-row.ts";
