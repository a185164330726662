/** How a gate behaves beside what policies say. */
export interface GateSettings {
  /** Refuses nothing: what the gate itself would refuse is recorded and left to the kernel. */
  readonly audit: boolean;
  /** Whether programs, maps and links that were not handed out here are found by id or path. */
  readonly existing: "refuse" | "allow";
  /** Whether a program that the kernel rewrote while loading it (core_relos) is handed out. */
  readonly rewritten: "refuse" | "allow";
  /** Bytes of map memory for the tasks of one listener. */
  readonly mapMemory: number;
  /** Milliseconds that a task may make the gate wait while its memory is copied. */
  readonly stall: number;
}

export const DEFAULT_SETTINGS: GateSettings = {
  audit: false,
  existing: "refuse",
  rewritten: "refuse",
  mapMemory: 2 ** 30,
  stall: 250,
};
