import { INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import { expectedAttachTypes } from "../statement/attach-types.js";
import type { StatedExtern } from "../statement/content.js";
import { ATTACH_TYPES, PROGRAM_TYPES } from "../tables/names.gen.js";
import type { LiveAttachTarget, LiveProgramLoad } from "./live-load.js";
import { differ, requireEqual } from "./properties.js";
import { type ExpectedProgram, sourceAt } from "./stated-program.js";

/** Numbers of linux/bpf.h. */
const EXT = 28;
const STRUCT_OPS = 27;
const XDP_HAS_FRAGS = 1 << 5;
const TOKEN_FD = 1 << 16;

/** What a loader chose about the program itself, as far as the statement opens it. */
export interface ProgramChoice {
  /** Whether the program is loaded as an extension of another one. */
  readonly asExtension: boolean;
}

/** Requires the stated type, attach type, target, flags and license. Throws Differs. */
export function compareProgram(expected: ExpectedProgram, load: LiveProgramLoad): ProgramChoice {
  const { program, object } = expected;
  const asExtension = load.type === EXT && program.type !== EXT && expected.opens("type=ext");
  if (!asExtension) {
    if (program.type !== load.type)
      differ("type", nameOf(PROGRAM_TYPES, program.type), nameOf(PROGRAM_TYPES, load.type));
    compareAttachType(expected, load);
  } else if (load.expectedAttachType !== 0)
    differ("expected_attach_type", "none", nameOf(ATTACH_TYPES, load.expectedAttachType));
  requireEqual("license", object.license, load.license);
  const free = TOKEN_FD | (expected.opens("flags=xdp_has_frags") ? XDP_HAS_FRAGS : 0);
  requireEqual("prog_flags", (program.flags & ~free) >>> 0, (load.flags & ~free) >>> 0);
  requireEqual("prog_ifindex", 0, load.ifindex);
  compareTarget(expected, load.attach, asExtension || program.type === EXT);
  return { asExtension };
}

function compareAttachType(
  { program, relocated }: ExpectedProgram,
  { expectedAttachType: found }: LiveProgramLoad,
): void {
  const expected = program.type === STRUCT_OPS ? (relocated.memberIndex ?? -1) : program.expected_attach_type;
  const allowed = program.type === STRUCT_OPS ? [expected] : expectedAttachTypes(program);
  if (allowed.includes(found)) return;
  const names = program.type === STRUCT_OPS ? [] : ATTACH_TYPES;
  differ("expected_attach_type", nameOf(names, expected), nameOf(names, found));
}

function compareTarget(expected: ExpectedProgram, { btfId, of, name }: LiveAttachTarget, isExtension: boolean): void {
  const isOpen = expected.opens("attach-target");
  if (isExtension) {
    compareExtended(expected, of, isOpen);
    return;
  }
  if (isOpen) return;
  const { attach } = expected.relocated;
  const found = `${targetName(btfId, of)}${name === null ? "" : ` (${name})`}`;
  const { attach_target: named } = expected.program;
  if (expected.relocated.isMissing) differ("attach_target", `${named}, which this kernel lacks`, found);
  if (attach === null) {
    if (btfId !== 0 || of !== null) differ("attach_target", "none", found);
    return;
  }
  const object = of === null ? "vmlinux" : of;
  if (btfId === attach.btfId && object === attach.object) return;
  differ("attach_target", `${targetName(attach.btfId, attach.object)} (${named})`, found);
}

/** Requires that the extended program was recognised at its load, and has the stated function. Throws Differs. */
function compareExtended({ program }: ExpectedProgram, of: LiveAttachTarget["of"], isOpen: boolean): void {
  if (of === null || typeof of === "string") differ("attach_target", "a function of a program", targetName(0, of));
  if (!of.recognised) differ("attach_target", "a program that is recognised", `program ${of.id}, which is not`);
  if (isOpen || (of.function !== null && of.function === program.attach_target)) return;
  differ(
    "attach_target",
    `function ${program.attach_target ?? "that the object names"}`,
    `function ${of.function ?? "without a name"}`,
  );
}

function targetName(btfId: number, of: LiveAttachTarget["of"]): string {
  if (btfId === 0 && of === null) return "none";
  const object = of === null ? "vmlinux" : typeof of === "string" ? of : `program ${of.id}`;
  return `type ${btfId} of ${object}`;
}

function nameOf(names: readonly string[], value: number): string {
  return names[value] ?? String(value);
}

/** Requires that fds of BTF objects in instructions and in fd_array are those of the stated modules. Throws Differs. */
export function compareBtfObjects({ insns, relocated, program, object }: ExpectedProgram, load: LiveProgramLoad): void {
  if (load.boundFds > 0) differ("fd_array", "no bound entries", `${load.boundFds} bound entries`);
  for (const [slot, name] of relocated.btfObjects) {
    const found = load.btfObjects.get(slot) ?? "no BTF of the kernel";
    if (found === name) continue;
    const isCall = insns[slot * INSN_SIZE] === OP.CALL;
    const symbol = symbolAt(slot, program.extern_references, object.content.program.object.externs);
    differ(isCall ? "fd_array" : "module_btf", `${name} for ${symbol} at instruction ${slot}`, found);
  }
  for (const [slot, found] of load.btfObjects)
    if (!relocated.btfObjects.has(slot)) refuseUnstated(insns, slot, found ?? "no BTF of the kernel");
}

function refuseUnstated(insns: Uint8Array, slot: number, found: string): void {
  const isVariable = insns[slot * INSN_SIZE] === OP.LD_IMM64 && sourceAt(insns, slot) === LD_SRC.BTF_ID;
  if (found === "vmlinux") return;
  differ(isVariable ? "module_btf" : "fd_array", `vmlinux at instruction ${slot}`, found);
}

function symbolAt(
  slot: number,
  references: readonly { readonly slot: number; readonly extern: number }[],
  externs: readonly StatedExtern[],
): string {
  const reference = references.find((each) => each.slot === slot);
  return reference === undefined ? "a symbol" : `\`${externs[reference.extern]?.name}\``;
}
