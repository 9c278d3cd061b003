/** What looks inside a network, fetched when it is first asked for. Each gives pictures and says what is on them. */
export { whatExcites } from "./excite.ts";
export { fooled } from "./fool.ts";
export { firstFilters, layerMaps, layersOf } from "./layers.ts";
export { whereItLooks } from "./where.ts";
