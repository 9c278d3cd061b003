/** What the build lists (see node/site.ts). */
declare module "virtual:pretrained" {
  const pretrained: readonly import("./shared/pretrained.ts").Pretrained[];
  export default pretrained;
}
declare module "virtual:writers" {
  const writers: readonly import("./shared/pretrained.ts").Pretrained[];
  export default writers;
}
declare module "virtual:translators" {
  const translators: readonly import("./shared/pretrained.ts").Pretrained[];
  export default translators;
}
declare module "virtual:makers" {
  /** Networks that make pictures. */
  const makers: readonly import("./shared/pretrained.ts").Pretrained[];
  export default makers;
}
declare module "virtual:samples" {
  /** File names by data set. */
  const samples: Readonly<Record<string, readonly string[]>>;
  export default samples;
}
