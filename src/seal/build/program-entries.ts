import type { ProgramSubject } from "../../bpf/model/facts.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import {
  expectedAttachTypes,
  type ProgramPart,
  type StatedProgram,
  type StatementContent,
} from "../../bpf/statement.js";
import type { StatementStore } from "../../engine/statements/statement-store.js";
import type { Dependency } from "../../policy/model/outcome.js";
import { CANARY_DIGEST } from "../guard/canary.js";
import type { ListEntry } from "../list/list-entry.js";
import { whyNotCovered } from "./coverage.js";
import { programMaps } from "./program-maps.js";
import { dependsOnInnerMaps, dependsOnSizes, dependsOnVariables } from "./visible-facts.js";

/** A program that policies allow for every task, and what they asked for. */
export interface AllowedProgram {
  readonly subject: ProgramSubject;
  readonly resolved: ResolvedProgram;
  /** What the object file says of its programs. */
  readonly part: ProgramPart;
  readonly dependencies: readonly Dependency[];
}

export interface EntryOptions {
  readonly statements: Pick<StatementStore, "all" | "ofSha256">;
  /** See {@link whyNotCovered}. */
  readonly anyMaps: boolean;
}

/** The entries of a program, or why the guard cannot tell its loads from others. */
export type FoundEntries = { readonly entries: readonly ListEntry[] } | { readonly why: string };

export function programEntries(allowed: AllowedProgram, options: EntryOptions): FoundEntries {
  const { subject, resolved, part } = allowed;
  const named = part.programs.find(({ name }) => name === subject.name);
  if (named === undefined) return { why: "libbpf would not load it" };
  const why = whyNotTold(part, named, resolved) ?? whyNotUnsigned(allowed, options);
  if (why !== null) return { why };
  const signed = statementIn(allowed, options);
  const program = signed?.program ?? named;
  const content = signed?.content ?? { version: 1, program: part, rules: { fixed: [], open: [] } };
  if (signed !== null) {
    const used = new Set(program.map_references.map(({ map }) => map));
    const maps = content.program.object.maps.filter((_, index) => used.has(index));
    const notCovered = whyNotCovered({ content, program, maps }, options.anyMaps);
    if (notCovered !== null) return { why: notCovered };
  }
  const facts = allowed.dependencies.filter(({ on }) => on === "subject").map(({ name }) => name);
  const size = openSize(content, program, facts);
  if (size !== null) return { why: `the verdict depends on the size of the map \`${size}\`, which the loader chooses` };
  const inner = openInnerMap(content, program);
  if (inner !== null && (signed !== null || facts.some(dependsOnInnerMaps)))
    return { why: `the object does not say which maps \`${inner}\` holds: the loader chooses them` };
  const found = programMaps(content, program, signed !== null && !facts.some(dependsOnVariables));
  if ("why" in found) return found;
  const target = resolved.relocated!.attachTarget?.found ?? null;
  const types = program.type === STRUCT_OPS ? [target!.member!] : expectedAttachTypes(program);
  return {
    entries: types.map((type) => ({
      digest: resolved.relocated!.digest,
      progType: program.type,
      expectedAttachType: completed(program.type, type),
      attachBtfId: target?.id ?? 0,
      progFlags: program.flags,
      gplCompatible: subject.gpl_compatible,
      maps: found.maps,
    })),
  };
}

/** Numbers of linux/bpf.h: program types that have an attach target when they are loaded. */
const STRUCT_OPS = 27;
const EXT = 28;
const NEEDS_TARGET: ReadonlySet<number> = new Set([26, STRUCT_OPS, EXT, 29]);

/** Why the guard cannot tell a program from others, whatever policies ask for; null if it can. */
function whyNotTold(
  part: ProgramPart,
  { type, attach_target }: StatedProgram,
  { relocated }: ResolvedProgram,
): string | null {
  if (part.object.byte_order === "big") return "it is for machines of the other byte order";
  if (relocated === null || relocated.tag === null || relocated.modules.length > 0)
    return "it has the fd of a module's BTF, which differs from load to load";
  if (relocated.digest === CANARY_DIGEST) return "it is the program by which the guard is tested";
  if (type === 0) return "its section says no program type";
  if (type === EXT) return "it extends another program, which the guard does not compare";
  const found = relocated.attachTarget?.found ?? null;
  if (!NEEDS_TARGET.has(type)) return null;
  if (attach_target === null || found === null) return "the loader chooses its attach target";
  return found.module === null
    ? null
    : `its attach target is in the module \`${found.module}\`, which the guard does not compare`;
}

/**
 * A verdict may rest on the fact that no statement counts for the program. That holds for all loads with the same entry
 * only if no statement has a program of this length, since a gate looks at no others: such a load can match one, or
 * nearly match it, by properties that the entry does not have.
 */
function whyNotUnsigned({ subject, dependencies }: AllowedProgram, { statements }: EntryOptions): string | null {
  if (!dependencies.some(({ on }) => on === "unsigned")) return null;
  const near = statements.all.some(({ programs }) => programs.some(({ insnCount }) => insnCount === subject.insn_cnt));
  return near
    ? `it counts as unsigned, but a statement has a program of ${subject.insn_cnt} instructions too, ` +
        "with which the gate would compare it at the load"
    : null;
}

/** The statement by which policies verified the program; null if none did. */
function statementIn(
  { subject, dependencies }: AllowedProgram,
  { statements }: EntryOptions,
): { readonly content: StatementContent; readonly program: StatedProgram } | null {
  const used = dependencies.find(({ on }) => on === "statement");
  const content = used === undefined ? null : (statements.ofSha256(used.name)?.statement.content ?? null);
  const program = content?.program.programs.find(({ name }) => name === subject.name);
  return content === null || program === undefined ? null : { content, program };
}

/** BPF_MAP_TYPE_PROG_ARRAY: its size says which programs a tail call can reach, and so which effects it has. */
const PROG_ARRAY = 3;

/** A map whose sizes the loader chooses, and on which one of the facts depends; null if there is none. */
function openSize(
  { program: { object } }: StatementContent,
  { map_references }: StatedProgram,
  facts: readonly string[],
): string | null {
  const used = map_references.map(({ map }) => object.maps[map]!);
  const open = used.filter((map) => [map.key_size, map.value_size, map.max_entries].includes(0));
  const found = facts.some(dependsOnSizes)
    ? open[0]
    : facts.some(dependsOnVariables)
      ? open.find(({ type }) => type === PROG_ARRAY)
      : undefined;
  return found?.name ?? null;
}

/** BPF_MAP_TYPE_ARRAY_OF_MAPS and HASH_OF_MAPS. */
const OUTER: ReadonlySet<number> = new Set([12, 13]);

/** A map of maps whose inner maps the object does not declare; null if there is none. */
function openInnerMap({ program: { object } }: StatementContent, { map_references }: StatedProgram): string | null {
  const open = map_references.map(({ map }) => object.maps[map]!).find(({ type, inner }) => OUTER.has(type) && !inner);
  return open?.name ?? null;
}

/**
 * What the kernel makes of attach type 0 (bpf_prog_load_fixup_attach_type of kernel/bpf/syscall.c), by program type.
 */
const COMPLETED: Readonly<Record<number, number>> = {
  // BPF_PROG_TYPE_CGROUP_SOCK: BPF_CGROUP_INET_SOCK_CREATE
  9: 2,
  // BPF_PROG_TYPE_SK_REUSEPORT: BPF_SK_REUSEPORT_SELECT
  21: 39,
};

function completed(type: number, attachType: number): number {
  return attachType === 0 ? (COMPLETED[type] ?? 0) : attachType;
}
