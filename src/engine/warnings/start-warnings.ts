import type { Config } from "../../config/config.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import type { Warning } from "../../warning.js";
import type { FileCache } from "../load/file-cache.js";
import type { Loader } from "../load/loader.js";
import { type NamingAttachment, writeWarnings } from "../load/map-writers.js";
import type { StatementStore } from "../statements/statement-store.js";
import { defaultWarnings } from "./default-coverage.js";
import { labelWarnings } from "./label-warnings.js";
import type { Placed, SandboxMemory } from "./sandbox-memory.js";
import { statementWarnings } from "./statement-warnings.js";

/** The parts of an engine that warnings are about. `placed` and `naming` are indexed by attachment number. */
export interface Started {
  readonly loader: Loader;
  readonly files: FileCache;
  readonly maps: ReadonlyMap<string, PolicyMap>;
  readonly memory: SandboxMemory;
  readonly placed: readonly Placed[];
  readonly naming: readonly NamingAttachment[];
  readonly statements: StatementStore;
}

/**
 * Warnings about probable mistakes in a configuration and its policies. None of them keeps the engine from starting.
 */
export function startWarnings(
  config: Config,
  { loader, files, maps, memory, placed, naming, statements }: Started,
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
    ...statementWarnings(statements),
  ];
}
