import { readFileSync } from "node:fs";
import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import { EFFECTS, type EffectName } from "../../src/bpf/model/facts.js";
import type { EffectsAtMost } from "../../src/bpf/translated-program.js";
import { Callees } from "../../src/loaded/effects/callees.js";
import { KernelSymbols } from "../../src/loaded/effects/kernel-symbols.js";
import { type LoadedCode, programEffects, type UsedMap } from "../../src/loaded/effects/program-effects.js";
import type { MapReport, ProgramReport } from "../../src/loaded/model/objects.js";

/** A struct bpf_insn of 8 bytes. */
export function insn(op: number, dst = 0, src = 0, off = 0, imm = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = op;
  bytes[1] = dst | (src << 4);
  bytes.writeInt16LE(off, 2);
  bytes.writeInt32LE(imm, 4);
  return bytes;
}

/** `ld_imm64`: with source 1 and 2, words are a map's id and an offset into its value. */
export const wide = (dst: number, src: number, low: number, high = 0): Buffer =>
  Buffer.concat([insn(0x18, dst, src, 0, low), insn(0, 0, 0, 0, high)]);

export const EXIT = insn(0x95);
/** `r = r` and `r = imm`. */
export const move = (dst: number, src: number): Buffer => insn(0xbf, dst, src);
export const set = (dst: number, imm: number): Buffer => insn(0xb7, dst, 0, 0, imm);

const BASE = 0x81000000;

/** Functions of a kernel by name, from its base on, 16 bytes apart, and the calls of them. */
export class Functions {
  readonly #names: string[] = [];

  /** A call of a function of the kernel as the verifier leaves it. */
  call(name: string, src = 0): Buffer {
    let index = this.#names.indexOf(name);
    if (index === -1) index = this.#names.push(name) - 1;
    return insn(0x85, 0, src, 0, 0x1000 + 16 * index);
  }

  /** The text of /proc/kallsyms. */
  get kallsyms(): string {
    const line = (address: number, name: string) => `ffffffff${address.toString(16)} T ${name}\n`;
    const functions = this.#names.map((name, index) => line(BASE + 0x1000 + 16 * index, name));
    return [line(BASE, "__bpf_call_base"), ...functions].join("");
  }
}

export const NO_PROGRAM: ProgramReport = {
  ...{ id: 1, type: "tracepoint", name: "program", tag: "00", loadTime: 0n, uid: 0, gplCompatible: true, maps: [] },
  ...{ btfId: null, loadedFor: null, translated: 0, jited: 0, verifiedInsns: 0, device: null },
  runs: { count: 0n, nanoseconds: 0n },
};

export function usedMap(id: number, type: string, given: Partial<MapReport> = {}, isShared = false): UsedMap {
  const sizes = { keySize: 4, valueSize: 8, maxEntries: 4 };
  const other = { flags: 0, frozen: false, btfId: null, kernelType: null, device: null };
  return { report: { id, type, name: `map${id}`, ...sizes, ...other, ...given }, isShared, value: null };
}

interface Given {
  readonly maps?: readonly UsedMap[];
  readonly kallsyms?: string;
  readonly types?: Btf | null;
  readonly attachType?: string | null;
  readonly attachTo?: string | null;
  readonly functions?: Uint8Array;
  readonly lines?: Uint8Array;
  readonly btfId?: number;
  readonly machine?: string;
}

/** What a program of these translated instructions can at most do. */
export function atMost(type: string, insns: readonly Uint8Array[], given: Given = {}): EffectsAtMost {
  const code: LoadedCode = {
    report: { ...NO_PROGRAM, type, btfId: given.btfId ?? null },
    loadedFor: { attachType: given.attachType ?? null, attachTo: given.attachTo ?? null },
    translated: Buffer.concat(insns),
    functions: given.functions ?? new Uint8Array(),
    lines: given.lines ?? new Uint8Array(),
    btf: null,
  };
  const symbols = new KernelSymbols(Buffer.from(given.kallsyms ?? new Functions().kallsyms));
  return programEffects(code, given.maps ?? [], {
    callees: new Callees(symbols, given.machine ?? "x64"),
    types: given.types ?? null,
  });
}

export const namesOf = ({ effects }: EffectsAtMost): EffectName[] => EFFECTS.filter((name) => effects[name]);

/** The BTF of a kernel with the structures that contexts of XDP, tc and perf events become; offsets in bytes. */
export function kernelTypes(): Btf {
  const writer = new BtfWriter();
  const long = writer.int("long unsigned int", 8);
  const struct = (name: string, ...members: (readonly [string, number])[]) =>
    writer.struct(
      name,
      256,
      members.map(([member, offset]) => [member, long, 8 * offset]),
    );
  struct("xdp_buff", ["data", 0], ["data_end", 8], ["data_meta", 16], ["rxq", 32], ["txq", 40]);
  struct("xdp_rxq_info", ["dev", 0], ["queue_index", 8]);
  struct("xdp_txq_info", ["dev", 0]);
  struct("net_device", ["ifindex", 200]);
  struct("sk_buff", ["dev", 16], ["sk", 24], ["cb", 40], ["data", 208]);
  struct("bpf_skb_data_end", ["data_meta", 32], ["data_end", 40]);
  struct("bpf_perf_event_data_kern", ["regs", 0], ["data", 8], ["event", 16]);
  struct("perf_sample_data", ["period", 24], ["addr", 32]);
  return new Btf(writer.bytes(), "the kernel");
}

/** A program as a kernel reported it, with the lines of /proc/kallsyms that it refers to. */
interface Recorded {
  readonly name: string;
  readonly type: string;
  readonly attach_type: string | null;
  readonly attach_to: string | null;
  readonly kallsyms: readonly string[];
  readonly maps: readonly (Record<"id" | "key_size" | "value_size" | "max_entries" | "flags" | "btf_id", number> & {
    readonly type: string;
    readonly name: string;
    readonly frozen: boolean;
    readonly value?: string;
  })[];
  readonly translated: string;
  readonly func_info: string;
}

export function recorded(path: string): Recorded {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** What a recorded program can at most do. */
export function recordedAtMost(program: Recorded, given: Given = {}): EffectsAtMost {
  const maps = program.maps.map(({ id, type, name, key_size, value_size, max_entries, flags, frozen, value }) => ({
    ...usedMap(id, type, { name, keySize: key_size, valueSize: value_size, maxEntries: max_entries, flags, frozen }),
    value: value === undefined ? null : Buffer.from(value, "base64"),
  }));
  return atMost(program.type, [Buffer.from(program.translated, "base64")], {
    ...{ maps, attachType: program.attach_type ?? "none", attachTo: program.attach_to },
    kallsyms: `${program.kallsyms.join("\n")}\n`,
    functions: Buffer.from(program.func_info, "base64"),
    ...given,
  });
}
