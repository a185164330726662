import { CountersignError } from "../../error.js";
import type { ElfFunction } from "../elf/symbols.js";
import { clearMapReferences } from "../insn/digest.js";
import { CALL_SRC, INSN_SIZE, LD_SRC, MAX_INSNS, OP } from "../insn/insn.js";
import type { Reference, References } from "./reference.js";

/** A program with its subprograms appended, as libbpf passes it to the kernel. */
export interface Linked {
  /** In the object's byte order. Map references and all values that are relocated at load time are zero. */
  readonly insns: Uint8Array;
  /** The functions in the order of `insns`; the program itself is first. */
  readonly parts: readonly Part[];
  /** The target of each relocated slot. Subprograms are resolved and not included. */
  readonly references: ReadonlyMap<number, Reference>;
}

export interface Part {
  readonly function: ElfFunction;
  /** Its first slot in `insns`. */
  readonly start: number;
}

/** A call of a subprogram, or the use of a callback's address, in a function. */
interface Site {
  /** Slot within the function. */
  readonly slot: number;
  readonly target: ElfFunction;
}

interface PartReferences {
  readonly sites: readonly Site[];
  readonly references: readonly (readonly [slot: number, Reference])[];
}

/** Links the programs of one object. */
export class Linker {
  readonly #references = new Map<ElfFunction, PartReferences>();

  constructor(
    readonly references: References,
    /** The functions of `.text`, by offset. */
    readonly subprograms: readonly ElfFunction[],
    /** The exception callback of each program, which no instruction refers to. */
    readonly exceptionCallbacks: ReadonlyMap<string, string> = new Map(),
  ) {}

  /**
   * Appends each subprogram at its first call or callback, depth first, as bpf_object__reloc_code of libbpf does, and
   * sets the offsets of calls. An exception callback is last. Throws ELF_MALFORMED for a call without target,
   * INSN_MALFORMED if the program gets too long.
   */
  link(program: ElfFunction): Linked {
    const callback = this.exceptionCallbacks.get(program.name);
    const parts = this.#order(program, callback === undefined ? null : this.#named(callback, program));
    const starts = new Map(parts.map((part) => [part.function, part.start]));
    const last = parts.at(-1)!;
    const insns = new Uint8Array(last.start * INSN_SIZE + last.function.size);
    const writer = new Writer(insns, this.references.elf.order === "little");
    const references = new Map<number, Reference>();
    for (const { function: part, start } of parts) {
      insns.set(bytesOf(part), start * INSN_SIZE);
      const found = this.#referencesOf(part);
      for (const { slot, target } of found.sites) writer.aim(start + slot, starts.get(target)! - (start + slot) - 1);
      for (const [slot, reference] of found.references) {
        writer.refer(start + slot, reference);
        references.set(start + slot, reference);
      }
    }
    clearMapReferences(insns, this.references.elf.order);
    return { insns, parts, references };
  }

  #named(name: string, program: ElfFunction): ElfFunction {
    return (
      this.subprograms.find((subprogram) => subprogram.name === name && subprogram.global) ??
      fail(
        new CountersignError(
          "ELF_MALFORMED",
          `its exception callback \`${name}\` is not a global, visible function in \`.text\``,
          {
            place: `program ${program.name}`,
            remedy: `define it in this object, without \`static\`, \`__hidden\` or \`SEC()\``,
          },
        ),
      )
    );
  }

  #order(program: ElfFunction, callback: ElfFunction | null): Part[] {
    const parts: Part[] = [];
    const placed = new Set<ElfFunction>();
    const stack: { readonly sites: readonly Site[]; next: number }[] = [];
    let slots = 0;
    const place = (part: ElfFunction): void => {
      parts.push({ function: part, start: slots });
      placed.add(part);
      slots += part.size / INSN_SIZE;
      if (slots > MAX_INSNS)
        throw new CountersignError("INSN_MALFORMED", `has more instructions than the kernel's limit of ${MAX_INSNS}`, {
          place: `program ${program.name}`,
          remedy: "make the program smaller, or split it with tail calls",
        });
      stack.push({ sites: this.#referencesOf(part).sites, next: 0 });
    };
    for (const root of callback === null ? [program] : [program, callback]) {
      if (!placed.has(root)) place(root);
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const site = top.sites[top.next];
        if (site === undefined) stack.pop();
        else {
          top.next += 1;
          if (!placed.has(site.target)) place(site.target);
        }
      }
    }
    return parts;
  }

  #referencesOf(part: ElfFunction): PartReferences {
    let found = this.#references.get(part);
    if (found === undefined) {
      found = this.#dissect(part);
      this.#references.set(part, found);
    }
    return found;
  }

  #dissect(part: ElfFunction): PartReferences {
    const { order } = this.references.elf;
    const known = this.references.of(part.section);
    const code = bytesOf(part);
    const view = new DataView(code.buffer, code.byteOffset, code.length);
    const first = part.offset / INSN_SIZE;
    const sites: Site[] = [];
    const references: (readonly [number, Reference])[] = [];
    for (let slot = 0, at = 0; at < code.length; slot++, at += INSN_SIZE) {
      const opcode = code[at]!;
      if (opcode !== OP.CALL && opcode !== OP.LD_IMM64) continue;
      const reference = known.get(first + slot);
      if (reference !== undefined && opcode === OP.LD_IMM64 && at + 2 * INSN_SIZE > code.length)
        throw unlinked(part, slot, "is an incomplete ld_imm64");
      if (reference !== undefined && reference.to !== "subprogram") {
        references.push([slot, reference]);
        continue;
      }
      const src = order === "little" ? code[at + 1]! >> 4 : code[at + 1]! & 15;
      const call = opcode === OP.CALL && src === CALL_SRC.SUBPROGRAM;
      // clang marks a callback's address only by a relocation.
      if (!call && reference === undefined && !(opcode === OP.LD_IMM64 && src === LD_SRC.FUNC)) continue;
      const imm = view.getInt32(at + 4, order === "little");
      if (reference === undefined && !call) throw unlinked(part, slot, "takes an address that is not a function's");
      // A call counts slots from the next instruction; an address is in bytes. Without a relocation, caller and target
      // are in the same section.
      const target = call
        ? (reference === undefined ? first + slot : reference.offset / INSN_SIZE) + imm + 1
        : (reference!.offset + imm) / INSN_SIZE;
      if (reference === undefined && part.section.name !== ".text")
        throw unlinked(part, slot, "calls into its own section, where no loader looks for subprograms");
      sites.push({
        slot,
        target: this.#subprogramAt(target) ?? fail(unlinked(part, slot, "calls an address that is not a function's")),
      });
    }
    return { sites, references };
  }

  /** The subprogram that contains a slot of `.text`. libbpf appends the whole subprogram wherever the slot is in it. */
  #subprogramAt(slot: number): ElfFunction | undefined {
    const at = slot * INSN_SIZE;
    let low = 0;
    let high = this.subprograms.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.subprograms[middle]!.offset <= at) low = middle + 1;
      else high = middle;
    }
    const found = this.subprograms[low - 1];
    return found !== undefined && at < found.offset + found.size ? found : undefined;
  }
}

/** Modifies instructions in place. */
class Writer {
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly little: boolean,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Sets the target of a call or of a callback's address to a subprogram. */
  aim(slot: number, distance: number): void {
    if (this.bytes[slot * INSN_SIZE] === OP.LD_IMM64) this.#setSrc(slot, LD_SRC.FUNC);
    this.#setImm(slot, distance);
  }

  #setImm(slot: number, imm: number): void {
    this.#view.setInt32(slot * INSN_SIZE + 4, imm, this.little);
  }

  /** Writes what bpf_object__relocate_data of libbpf writes, with zero for values that are known only at load time. */
  refer(slot: number, reference: Reference): void {
    switch (reference.to) {
      case "map":
        this.#setSrc(slot, reference.reference.offset === null ? LD_SRC.MAP_FD : LD_SRC.MAP_VALUE);
        break;
      case "kfunc":
        this.#setSrc(slot, CALL_SRC.KFUNC);
        this.#view.setInt16(slot * INSN_SIZE + 2, 0);
        this.#setImm(slot, 0);
        break;
      case "ksym":
        this.#setSrc(slot, reference.name.typed ? LD_SRC.BTF_ID : LD_SRC.NUMBER);
        this.#setImm(slot, 0);
        this.#setImm(slot + 1, 0);
        break;
      case "subprogram":
        break;
    }
  }

  #setSrc(slot: number, src: number): void {
    const at = slot * INSN_SIZE + 1;
    const registers = this.bytes[at]!;
    this.bytes[at] = this.little ? (registers & 0x0f) | (src << 4) : (registers & 0xf0) | src;
  }
}

function bytesOf(part: ElfFunction): Uint8Array {
  return part.section.data.subarray(part.offset, part.offset + part.size);
}

function fail(error: CountersignError): never {
  throw error;
}

function unlinked(part: ElfFunction, slot: number, message: string): CountersignError {
  return new CountersignError("ELF_MALFORMED", message, {
    place: `section ${part.section.name}: function ${part.name}: instruction ${slot}`,
    remedy: "build the object again",
  });
}
