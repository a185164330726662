/**
 * Recognition of live loads: whether a load is a program of a statement as libbpf relocates it for the running kernel,
 * and which values its settings have.
 */
export {
  cpuCount,
  type KernelConfiguration,
  kernelVersion,
  parseKernelConfig,
} from "./recognition/kconfig-contents.js";
export type {
  LiveAttachTarget,
  LiveMap,
  LiveMapDefinition,
  LiveProgramLoad,
  LiveTargetProgram,
  MapRole,
} from "./recognition/live-load.js";
export { MAX_ROLES } from "./recognition/live-load.js";
export { loadedBtf } from "./recognition/loaded-btf.js";
export {
  type Difference,
  MAP_PROPERTIES,
  type MapProperty,
  PROGRAM_PROPERTIES,
  type ProgramProperty,
} from "./recognition/properties.js";
export type { RecognisedSetting } from "./recognition/settings.js";
export type { StatedObjectForm } from "./recognition/stated-program.js";
export { StatedRelocator } from "./recognition/stated-relocation.js";
export {
  type Finding,
  type IndexedStatement,
  type Match,
  type Miss,
  StatementIndex,
} from "./recognition/statement-index.js";
