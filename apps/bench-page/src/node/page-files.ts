/** The files of the page by their names. */
export type PageFiles = ReadonlyMap<string, Uint8Array>;
