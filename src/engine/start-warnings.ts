import type { Config } from "../config/config.js";
import type { PolicyMap } from "../policy/map.js";
import type { Warning } from "../warning.js";
import { defaultWarnings } from "./default-coverage.js";
import type { FileCache } from "./file-cache.js";
import { labelWarnings } from "./label-warnings.js";
import type { Loader } from "./load.js";
import { type NamingAttachment, writeWarnings } from "./map-writers.js";
import type { Placed, SandboxMemory } from "./sandbox-memory.js";

/** The parts of an engine that warnings are about. `placed` and `naming` are indexed by attachment number. */
export interface Started {
  readonly loader: Loader;
  readonly files: FileCache;
  readonly maps: ReadonlyMap<string, PolicyMap>;
  readonly memory: SandboxMemory;
  readonly placed: readonly Placed[];
  readonly naming: readonly NamingAttachment[];
}

/**
 * Warnings about probable mistakes in a configuration and its policies. None of them keeps the engine from starting.
 */
export function startWarnings(
  config: Config,
  { loader, files, maps, memory, placed, naming }: Started,
): readonly Warning[] {
  return [
    ...loader.warnings,
    ...labelWarnings(config, files.texts.values()),
    ...memory.warnings(),
    ...writeWarnings(maps, naming),
    ...defaultWarnings(
      config,
      placed.map(({ hooks }) => hooks),
    ),
  ];
}
