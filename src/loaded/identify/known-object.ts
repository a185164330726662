import { VARIANTS } from "../../bpf/core/variant.js";
import type { ObjectProgram } from "../../bpf/object/program.js";
import { BpfObject, linkedPrograms } from "../../bpf/object.js";
import type { Kernel } from "../../bpf/relocate.js";
import { resolvePrograms } from "../../bpf/resolved-object.js";
import type { KnownPlace, KnownProgram } from "./known-program.js";

/**
 * The programs of a BPF object as loaders pass them to a kernel; without those whose instructions differ between loads
 * or are not known. Programs that loaders relocate differently are there once for each way. Throws the errors of
 * BpfObject.
 */
export function knownPrograms(bytes: Uint8Array, place: KnownPlace, kernel: Kernel): readonly KnownProgram[] {
  const object = new BpfObject(bytes);
  const linked = linkedPrograms(object);
  const found = new Map<string, KnownProgram>();
  for (const variant of VARIANTS)
    resolvePrograms(object, linked, kernel, variant).programs.forEach(({ name, relocated, tag }, index) => {
      if (relocated === null || tag === null) return;
      const program = linked[index]![1];
      const { type, expectedAttachType: attachType } = program;
      const known = { ...place, name, type, attachType, digest: relocated.digest, tag };
      const references = referencesOf(program, relocated.slots);
      found.set(`${index} ${relocated.digest}`, { ...known, references });
    });
  return [...found.values()];
}

/** `slots` are the places of the instructions if the loader changes their order. */
function referencesOf(program: ObjectProgram, slots: Uint32Array | null): KnownProgram["references"] {
  const found: (readonly [slot: number, reference: KnownProgram["references"][number]])[] = [];
  for (let slot = 0; slot < program.insns.count; slot++) {
    const reference = program.mapAt(slot);
    if (reference !== null) found.push([slots?.[slot] ?? slot, reference]);
  }
  return found.sort(([a], [b]) => a - b).map(([, reference]) => reference);
}
