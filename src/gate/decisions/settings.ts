import type { Config } from "../../config/config.js";

/** Settings of a gate besides policies: `gate` of the configuration, and whether the engine is in mode `audit`. */
export interface GateSettings {
  /** Whether this is a dry run: denials by the gate itself are recorded, and the kernel executes the calls. */
  readonly audit: boolean;
  /** Whether tasks may get programs, maps and links by id or path if this gate did not issue them. */
  readonly existing: "deny" | "allow";
  /** Whether policies are asked at hook `bpf_prog` about a program that the kernel rewrote at the load (core_relos). */
  readonly rewritten: "deny" | "ask";
  /** Whether policies are asked at hook `bpf` about runs of a program that calls bpf(2), such as a light skeleton. */
  readonly loaderRuns: "deny" | "ask";
  /** Names of the configuration's keyrings, by the id of the kernel keyring that a load names. */
  readonly keyrings: Readonly<Record<string, string>>;
  /** Maximum bytes of map memory for the tasks of one container, or of a command. */
  readonly mapMemory: number;
  /** Maximum number of programs released in a second: see {@link LoadThrottle}. */
  readonly programReleases: number;
  /** Whether each load needs a ticket of the guard: this process is the agent of a sealed machine. */
  readonly tickets: boolean;
  /** Whether the agent of a sealed machine makes this gate's bpf(2) calls. */
  readonly agent: boolean;
  /** Milliseconds that a task may make the gate wait while its memory is copied. */
  readonly stall: number;
}

export function settingsOf({ mode, gate }: Config): GateSettings {
  return { audit: mode === "audit", agent: false, ...gate };
}

/** The same configuration for a dry run. Attachments keep their modes. */
export function inAudit(config: Config): Config {
  return { ...config, mode: "audit" };
}
