import type { Config } from "../config/config.js";

/** How a gate behaves beside what policies say: the configuration's `gate`, and whether all of it is in audit. */
export interface GateSettings {
  /** A dry run: a denial by the gate itself is recorded, and the kernel executes the call. */
  readonly audit: boolean;
  /** Whether programs, maps and links that were not handed out here are found by id or path. */
  readonly existing: "deny" | "allow";
  /** Whether policies are asked at `bpf_prog` about a program that the kernel rewrote while loading it (core_relos). */
  readonly rewritten: "deny" | "ask";
  /** Whether policies are asked at `bpf` about the run of a program that calls bpf(2), which the kernel then looks at again. */
  readonly loaderRuns: "deny" | "ask";
  /** The configuration's keyrings by the ids of the kernel's that loads name. */
  readonly keyrings: Readonly<Record<string, string>>;
  /** Bytes of map memory for the tasks of one listener. */
  readonly mapMemory: number;
  /** Milliseconds that a task may make the gate wait while its memory is copied. */
  readonly stall: number;
}

export function settingsOf({ mode, gate }: Config): GateSettings {
  return { audit: mode === "audit", ...gate };
}

/** The same configuration for a dry run. Attachments keep their modes. */
export function inAudit(config: Config): Config {
  return { ...config, mode: "audit" };
}
