import type { Btf } from "../btf/btf.js";
import type { BtfKind } from "../btf/btf-type.js";
import { ATTACH_TARGETS } from "../core/attach-target.js";
import { OP } from "../insn/insn.js";
import type { Code } from "../model/code.js";

/** A kernel object that a program refers to by name. */
export interface Need {
  readonly kind: "kfunc" | "ksym" | "target" | "type" | "field";
  readonly name: string;
}

/**
 * The names that a program refers to and a kernel's BTF lacks. This need not fail the load: a program can test with
 * CO-RE whether a name exists, and names of modules are not in the BTF of vmlinux.
 */
export function missingFrom(kernel: Btf, code: Code): Need[] {
  const missing = new Map<string, Need>();
  const need = (there: boolean, kind: Need["kind"], name: string) => {
    if (!there) missing.set(`${kind} ${name}`, { kind, name });
  };
  const target = targetOf(code);
  if (target !== null) need(isThere(kernel, target), "target", code.attachTo!);
  for (let slot = 0; slot < code.insns.count; slot++) {
    const opcode = code.insns.opcode[slot];
    const kfunc = opcode === OP.CALL ? code.kfuncAt(slot) : null;
    if (kfunc !== null) need(kernel.find("func", kfunc.name) !== 0, "kfunc", kfunc.name);
    const ksym = opcode === OP.LD_IMM64 ? code.ksymAt(slot) : null;
    // An untyped symbol is looked up in /proc/kallsyms, not in BTF.
    if (ksym?.typed) need(kernel.find("var", ksym.name) !== 0, "ksym", ksym.name);
  }
  for (const slot of code.rewrittenSlots()) {
    const what = code.rewrittenAt(slot)?.what;
    const path = what === undefined ? null : PATH.exec(what);
    if (path === null) continue;
    const type = kernel.find(path[1] as BtfKind, path[2]!);
    need(type !== 0, "type", `${path[1]} ${path[2]}`);
    const fields = path[3]!.match(/\.[^.[]+/g)?.map((field) => field.slice(1)) ?? [];
    if (type !== 0 && fields.length > 0) need(hasFields(kernel, type, fields), "field", what!);
  }
  return [...missing.values()];
}

/** `struct task_struct.real_parent`, as written by describeRelocation. */
const PATH = /^(struct|union|enum) (\w+)([.[].*|)$/;

interface Target {
  readonly kind: BtfKind;
  readonly name: string;
  /** A member of the type that must exist. */
  readonly member?: string;
}

function targetOf({ type, expectedAttachType, attachTo }: Code): Target | null {
  if (attachTo === null) return null;
  if (type === "struct_ops") {
    const [name, member] = attachTo.split(".");
    return { kind: "struct", name: name!, ...(member === undefined ? {} : { member }) };
  }
  const row = ATTACH_TARGETS[expectedAttachType ?? ""];
  return row === undefined ? null : { kind: row.kind, name: `${row.prefix}${attachTo}` };
}

function isThere(kernel: Btf, { kind, name, member }: Target): boolean {
  const id = kernel.find(kind, name);
  return id !== 0 && (member === undefined || hasFields(kernel, id, [member]));
}

/** Maximum depth to which members of anonymous structs and unions are searched, as C does. */
const MAX_DEPTH = 8;

function hasFields(kernel: Btf, type: number, [first, ...rest]: readonly string[]): boolean {
  const member = first === undefined ? undefined : memberOf(kernel, type, first, 0);
  if (member === undefined) return first === undefined;
  return rest.length === 0 || hasFields(kernel, member, rest);
}

/** The type of a member; for an array, the type of its elements. */
function memberOf(kernel: Btf, type: number, name: string, depth: number): number | undefined {
  for (const member of kernel.members(type)) {
    let inner = kernel.resolve(member.type);
    for (let array = kernel.array(inner); array !== null; array = kernel.array(inner))
      inner = kernel.resolve(array.element);
    if (member.name === name) return inner;
    const nested = member.name === "" && depth < MAX_DEPTH ? memberOf(kernel, inner, name, depth + 1) : undefined;
    if (nested !== undefined) return nested;
  }
  return undefined;
}
