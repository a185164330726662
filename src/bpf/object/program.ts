import type { Btf } from "../btf/btf.js";
import { type BtfExt, type Place, sourceOf } from "../btf/btf-ext.js";
import type { CoreRelocation } from "../core/relocation.js";
import { type ByteOrder, countInsns, decodeInsns, INSN_SIZE, type Insns } from "../insn/insn.js";
import type { Code, CodeFunction, KernelName, MapReference, Rewrite } from "../model/code.js";
import { coreRelocationOf, rewriteOf } from "./core-relo.js";
import type { Linked, Part } from "./link.js";
import type { SectionRole } from "./section.js";

/** A linked program of an object file as input of the analysis. */
export class ObjectProgram implements Code {
  readonly type: string;
  readonly expectedAttachType: string | null;
  readonly attachTo: string | null;
  readonly kernelProbe: boolean;
  readonly functions: readonly CodeFunction[];
  #insns: Insns | undefined;
  #rewrites: ReadonlyMap<number, Place> | undefined;

  constructor(
    readonly linked: Linked,
    readonly byteOrder: ByteOrder,
    readonly btf: Btf | null,
    readonly ext: BtfExt | null,
    role: SectionRole,
    kernelProbe: boolean,
  ) {
    countInsns(linked.insns);
    this.type = role.type;
    this.expectedAttachType = role.expectedAttachType;
    this.attachTo = role.attachTo;
    this.kernelProbe = kernelProbe;
    this.functions = linked.parts.map((part) => ({
      name: part.function.name,
      start: part.start,
      end: part.start + part.function.size / INSN_SIZE,
      btfId: this.#btfIdOf(part),
      global: part.function.global,
    }));
  }

  /** Decoded at the first use: relocation does without. */
  get insns(): Insns {
    this.#insns ??= decodeInsns(this.linked.insns, this.byteOrder);
    return this.#insns;
  }

  mapAt(slot: number): MapReference | null {
    const reference = this.linked.references.get(slot);
    return reference?.to === "map" ? reference.reference : null;
  }

  kfuncAt(slot: number): KernelName | null {
    const reference = this.linked.references.get(slot);
    return reference?.to === "kfunc" ? reference.name : null;
  }

  ksymAt(slot: number): KernelName | null {
    const reference = this.linked.references.get(slot);
    return reference?.to === "ksym" ? reference.name : null;
  }

  rewrittenAt(slot: number): Rewrite | null {
    const found = this.#relocations().get(slot);
    return found === undefined || this.btf === null ? null : rewriteOf(found.records, found.record, this.btf);
  }

  /** The slots with CO-RE relocations, in ascending order. */
  rewrittenSlots(): number[] {
    return [...this.#relocations().keys()];
  }

  /** The CO-RE relocations, in ascending order of slots. Throws BTF_MALFORMED. */
  coreRelocations(): readonly CoreRelocation[] {
    const { btf } = this;
    if (btf === null) return [];
    return [...this.#relocations()].map(([slot, { records, record }]) => coreRelocationOf(slot, records, record, btf));
  }

  sourceAt(slot: number): string | null {
    const { ext, btf } = this;
    if (ext === null || btf === null) return null;
    const part = this.linked.parts.findLast(({ start }) => start <= slot);
    if (part === undefined) return null;
    const { section, offset } = part.function;
    for (const records of ext.of("lines", section.name)) {
      const record = records.lastBefore(offset + (slot - part.start) * INSN_SIZE);
      // A line record before the function belongs to another function.
      if (record !== -1 && records.offset(record) >= offset) return sourceOf(records, record, btf);
    }
    return null;
  }

  #btfIdOf({ function: part }: Part): number | null {
    for (const records of this.ext?.of("functions", part.section.name) ?? []) {
      const record = records.lastBefore(part.offset);
      if (record !== -1 && records.offset(record) === part.offset) return records.field(record, 1);
    }
    return null;
  }

  /** In ascending order, since parts are. */
  #relocations(): ReadonlyMap<number, Place> {
    if (this.#rewrites === undefined) {
      const found = new Map<number, Place>();
      for (const { function: part, start } of this.linked.parts)
        for (const place of this.ext?.relocations(part.section.name, part.offset, part.size) ?? [])
          found.set(start + Math.floor((place.offset - part.offset) / INSN_SIZE), place);
      this.#rewrites = found;
    }
    return this.#rewrites;
  }
}
