import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Config, LogConfig } from "../../config/config.js";

/**
 * The root directory of the first process. The agent of a sealed machine has another one, which nobody else can reach
 * (seal/loader/agent-root.c), and the first process gets a new one when it leaves the initramfs.
 */
const SYSTEM_ROOT = "/proc/1/root";

/** A path of the machine for the agent of a sealed machine. */
export function systemPath(path: string): string {
  return `${SYSTEM_ROOT}${path}`;
}

/**
 * The configuration of the agent of a sealed machine: it logs on the machine, and its loads need tickets. Creates the
 * folder of the log.
 */
export function sealedConfig(config: Config): Config {
  const { log } = config;
  if (log !== null) makeFolderOf(systemPath(log.file));
  return {
    ...config,
    log: log === null ? null : onSystem(log),
    gate: { ...config.gate, tickets: true },
  };
}

function onSystem({ programs, ...log }: LogConfig): LogConfig {
  const its = { ...log, file: systemPath(log.file) };
  if (programs === undefined) return its;
  makeFolderOf(systemPath(programs.folder));
  return { ...its, programs: { ...programs, folder: systemPath(programs.folder) } };
}

/** Creates the folder of a file, and those above it. */
export function makeFolderOf(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
}
