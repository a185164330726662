/** Whether a machine can be sealed, and what the seal is worth there. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.js";
import { readInput } from "../input.js";
import { lsmCgroupPrograms } from "../sys/bpf-programs.js";
import {
  type DoctorFinding,
  listFindings,
  loadedFinding,
  machineFindings,
  slotFinding,
  verityFindings,
} from "./doctor/checks.js";
import { guardFindings } from "./doctor/guard-findings.js";
import { Machine } from "./doctor/machine.js";
import { CGROUP_LSM_SLOTS, ROOT_LSM_HOOKS } from "./guard/hooks.js";
import { type List, MAX_LIST, parseList } from "./list.js";
import { ruleDifferences } from "./replacement.js";
import { isListed, type LoadedProgram } from "./sealing.js";
import type { GuardStatus } from "./status.js";

export type { DoctorFinding, State } from "./doctor/checks.js";
export { acrossBoots, secureBoot } from "./doctor/secure-boot.js";

export interface DoctorInput {
  /** Its scopes by executable are checked; null for none. */
  readonly config: Config | null;
  /** What the loaded programs are compared with. */
  readonly list: List | null;
  /** The folder with a list for each kernel. */
  readonly lists: string | null;
  readonly loaded: readonly LoadedProgram[];
  /** The guard that has its slots already, and decided about what was loaded before; null if there is none. */
  readonly guard: GuardStatus | null;
}

/** Throws the errors of reading the lists. */
export function diagnose(input: DoctorInput, machine = new Machine()): readonly DoctorFinding[] {
  const { config, list, lists, loaded, guard } = input;
  const executables = config?.attachments.flatMap(({ scope }) => scope.exe ?? []) ?? [];
  const unlisted = list === null ? null : loaded.filter((program) => !isListed(program, list)).map(titleOf);
  return [
    ...machineFindings(machine),
    ...(guard === null
      ? [
          slotFinding(lsmCgroupPrograms(), ROOT_LSM_HOOKS.length, CGROUP_LSM_SLOTS),
          loadedFinding(loaded.length, unlisted),
        ]
      : guardFindings(guard, list === null ? null : ruleDifferences(list, guard))),
    ...listFindings(machine, lists === null ? null : releasesIn(lists)),
    ...verityFindings(machine, [...new Set(executables)]),
  ];
}

function titleOf({ id, name, type }: LoadedProgram): string {
  return `${id} ${name} (${type})`;
}

function releasesIn(folder: string): ReadonlySet<string> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".list"));
  return new Set(files.map((name) => parseList(readInput(join(folder, name), MAX_LIST)).header.release));
}
