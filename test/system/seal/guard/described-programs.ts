import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256, zeroMapReferences } from "../../../../src/bpf/insn/digest.js";
import { INSN_SIZE, LD_SRC, OP } from "../../../../src/bpf/insn/insn.js";
import type { ListEntry, ListMap, ProgramMaps, SettingRange } from "../../../../src/seal/list/list-entry.js";
import { referenceDigest } from "../../../../src/seal/list/reference-digest.js";
import { encodeTicket, mapsDigest } from "../../../support/guard-ticket.js";
import { own } from "../../../support/workplace.js";

/** What `loads describe` prints of a program. */
interface DescribedProgram {
  readonly name: string;
  readonly type: number;
  readonly attach_type: number;
  readonly flags: number;
  readonly target: string | null;
  /** In hex; the first immediate of a reference to a map is the index of the map. */
  readonly insns: string;
  readonly maps: readonly DescribedMap[];
}

interface DescribedMap {
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly frozen: boolean;
  readonly inner_value_size: number;
  readonly contents: string;
  readonly settings: readonly SettingRange[];
}

const COMMON = ["kernel", "programs", "report", "describe"];
/** The programs that guests run, by their sources in this folder. Each prints what it loads for `describe`. */
const SOURCES = {
  classes: ["classes", ...COMMON],
  open: ["open", ...COMMON],
  loads: ["loads", "race", ...COMMON],
  tickets: ["tickets", "ticket", "ticket-changes", "ticket-race", "ticket-targets", "faults", "refusals", ...COMMON],
} as const;

/** Compiles a static program, and gives its path to a function. */
export function compiled<Result>(name: keyof typeof SOURCES, use: (file: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "loads-"));
  try {
    const sources = SOURCES[name].map((source) => own(`test/system/seal/guard/${source}.c`));
    const file = join(folder, name);
    execFileSync("gcc", ["-O1", "-Wall", "-Werror", "-static", "-pthread", ...sources, "-o", file]);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const withLoads = <Result>(use: (file: string) => Result): Result => compiled("loads", use);

export function describedPrograms(loads: string): readonly DescribedProgram[] {
  const output = execFileSync(loads, ["describe"], { encoding: "utf8" });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as DescribedProgram);
}

/** The entry that has a list allow the program; `ids` are those of functions in the BTF of the guest's kernel. */
export function entryOf(program: DescribedProgram, ids: ReadonlyMap<string, number>): ListEntry {
  const insns = Buffer.from(program.insns, "hex");
  return {
    digest: sha256(zeroMapReferences(withoutBtfFds(insns), "little")),
    progType: program.type,
    expectedAttachType: program.attach_type,
    attachBtfId: program.target === null ? 0 : ids.get(program.target)!,
    progFlags: program.flags,
    gplCompatible: true,
    maps: mapsOf(insns, program.maps),
  };
}

/** The file of tickets that guard/ticket.c reads: one for each program, without target, thread and deadline. */
export function ticketsOf(programs: readonly DescribedProgram[]): Uint8Array {
  const tickets = programs.map((program) => {
    const maps = program.maps.map((map) => ({ ...map, settings: [] }));
    const entry = entryOf({ ...program, maps, target: null }, new Map());
    const open = { attachProgId: 0, attachBtfObjId: 0, tid: 0, deadline: 0n };
    return encodeTicket({ ...entry, ...open, maps: mapsDigest(entry.maps) });
  });
  return Buffer.concat(tickets);
}

const MOV_R0 = 0xb7;
const EXIT = 0x95;

/** An entry for a program of so many instructions: `r0 = 0`, and an exit. */
export function plainEntry(count: number): ListEntry {
  const insns = Buffer.alloc(count * INSN_SIZE);
  for (let at = 0; at < count - 1; at++) insns[at * INSN_SIZE] = MOV_R0;
  insns[(count - 1) * INSN_SIZE] = EXIT;
  return entryWithoutMaps(insns, { progType: 1, expectedAttachType: 0, attachBtfId: 0 });
}

/** Entries of programs that nobody has, in no order. */
export function otherEntries(count: number): ListEntry[] {
  const like = plainEntry(2);
  return Array.from({ length: count }, (_, index) => ({ ...like, digest: sha256(Buffer.from(`program ${index}`)) }));
}

/** An entry for `r0 = value; exit`. */
export function returningEntry(
  value: number,
  numbers: Pick<ListEntry, "progType" | "expectedAttachType" | "attachBtfId">,
): ListEntry {
  const insns = Buffer.alloc(2 * INSN_SIZE);
  insns[0] = MOV_R0;
  insns.writeInt32LE(value, 4);
  insns[INSN_SIZE] = EXIT;
  return entryWithoutMaps(insns, numbers);
}

function entryWithoutMaps(
  insns: Buffer,
  numbers: Pick<ListEntry, "progType" | "expectedAttachType" | "attachBtfId">,
): ListEntry {
  const maps = { references: 0, digest: referenceDigest([]), maps: [] };
  return { ...numbers, digest: sha256(insns), progFlags: 0, gplCompatible: true, maps };
}

function withoutBtfFds(insns: Buffer): Buffer {
  const copy = Buffer.from(insns);
  for (const at of wideInsns(copy))
    if (copy[at + 1]! >> 4 === LD_SRC.BTF_ID) copy.fill(0, at + INSN_SIZE + 4, at + 2 * INSN_SIZE);
  return copy;
}

const MAP_SOURCES: ReadonlySet<number> = new Set([
  LD_SRC.MAP_FD,
  LD_SRC.MAP_VALUE,
  LD_SRC.MAP_IDX,
  LD_SRC.MAP_IDX_VALUE,
]);

/** Byte offsets of the first slots of ld_imm64. */
function wideInsns(insns: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < insns.length; at += INSN_SIZE)
    if (insns[at] === OP.LD_IMM64) {
      found.push(at);
      at += INSN_SIZE;
    }
  return found;
}

/** The programs name maps for the first time in the order of their indexes. */
function mapsOf(insns: Buffer, maps: readonly DescribedMap[]): ProgramMaps {
  const references = wideInsns(insns)
    .filter((at) => MAP_SOURCES.has(insns[at + 1]! >> 4))
    .map((at) => ({ map: insns.readInt32LE(at + 4), offset: insns.readInt32LE(at + INSN_SIZE + 4) }));
  return { references: references.length, digest: referenceDigest(references), maps: maps.map(listMap) };
}

const ARRAY = 2;

function listMap(map: DescribedMap): ListMap {
  const numbers = { keySize: map.key_size, maxEntries: map.max_entries, mapFlags: map.flags };
  const contents = Buffer.from(map.contents, "hex");
  for (const { offset, size } of map.settings) contents.fill(0, offset, offset + size);
  return {
    ...{ ...numbers, mapType: map.type, valueSize: map.value_size, mapExtra: 0n, settings: map.settings },
    contents: map.frozen ? createHash("sha256").update(contents).digest("hex") : null,
    inner:
      map.inner_value_size === 0
        ? null
        : { mapType: ARRAY, keySize: 4, valueSize: map.inner_value_size, maxEntries: 1, mapFlags: 0 },
  };
}
