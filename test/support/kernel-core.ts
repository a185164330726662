import { BtfWriter } from "../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../src/bpf/btf/btf.js";
import type { ReadAt } from "../../src/loaded/memory/kernel-memory.js";

/** Byte offsets in the structures of this kernel. */
const OFFSET = { head: 8, shift: 4, slots: 40, digest: 24, auxiliary: 64, id: 12 } as const;
const NODE_BYTES = OFFSET.slots + 64 * 8;
const PROGRAM_BYTES = 96;

/** The types of a kernel; before Linux 6.18 without digests. */
export function typesWith(hasDigests = true): Btf {
  const writer = new BtfWriter();
  const long = writer.int("long unsigned int", 8);
  const member = (name: string, offset: number, type = long) => [name, type, 8 * offset] as const;
  const inner = writer.struct("", 32, [member(hasDigests ? "digest" : "tag", 0)]);
  writer.struct("xarray", 16, [member("xa_head", OFFSET.head)]);
  writer.struct("xa_node", NODE_BYTES, [member("shift", OFFSET.shift), member("slots", OFFSET.slots)]);
  writer.struct("bpf_prog", PROGRAM_BYTES, [member("", OFFSET.digest, inner), member("aux", OFFSET.auxiliary)]);
  writer.struct("bpf_prog_aux", 64, [member("id", OFFSET.id)]);
  return new Btf(writer.bytes(), "the kernel");
}

/** Where memory begins, and `prog_idr` is. */
const START = 0xffff_8880_0000_0000n;

/** A kernel's memory with programs, as /proc/kcore shows it. */
export class KernelCore {
  readonly #memory = Buffer.alloc(1 << 16);
  #used = 64;

  /** Programs by id with their digests in hex. The tree of `prog_idr` has `levels` levels. */
  constructor(programs: Readonly<Record<number, string>>, levels = 2) {
    const top = this.#node(6 * (levels - 1));
    this.#pointer(OFFSET.head, top + 2);
    for (const [id, digest] of Object.entries(programs)) this.#place(top, levels, Number(id), digest);
  }

  get kallsyms(): string {
    return `ffffffff81000000 T _text\n${START.toString(16)} d prog_idr\n`;
  }

  /** Changes memory, by an offset in it. */
  change(change: (memory: Buffer) => void): this {
    change(this.#memory);
    return this;
  }

  /** The ELF file: a header, one for notes, one for other memory, and the one for this. */
  get readAt(): ReadAt {
    const head = Buffer.alloc(4096);
    head.write("7f454c460201", "hex");
    head.writeBigUInt64LE(64n, 32);
    head.writeUInt16LE(3, 56);
    const segment = (index: number, type: number, offset: number, address: bigint, length: number) => {
      const at = 64 + 56 * index;
      head.writeUInt32LE(type, at);
      head.writeBigUInt64LE(BigInt(offset), at + 8);
      head.writeBigUInt64LE(address, at + 16);
      head.writeBigUInt64LE(BigInt(length), at + 32);
    };
    segment(0, 4, 512, 0n, 512);
    segment(1, 1, 1024, 0xffff_ffff_8100_0000n, 512);
    segment(2, 1, 4096, START, this.#memory.length);
    const file = Buffer.concat([head, this.#memory]);
    return (offset, length) => {
      const at = Number(offset);
      return at + length > file.length ? null : file.subarray(at, at + length);
    };
  }

  #place(top: number, levels: number, id: number, digest: string): void {
    let node = top;
    for (let shift = 6 * (levels - 1); shift > 0; shift -= 6) {
      const slot = node + OFFSET.slots + 8 * ((id >> shift) & 63);
      let next = Number(this.#memory.readBigUInt64LE(slot) & 0xffffn) - 2;
      if (next < 0) {
        next = this.#node(shift - 6);
        this.#pointer(slot, next + 2);
      }
      node = next;
    }
    const program = this.#room(PROGRAM_BYTES);
    const auxiliary = this.#room(64);
    this.#pointer(node + OFFSET.slots + 8 * (id & 63), program);
    this.#pointer(program + OFFSET.auxiliary, auxiliary);
    this.#memory.writeUInt32LE(id, auxiliary + OFFSET.id);
    this.#memory.write(digest, program + OFFSET.digest, "hex");
  }

  #node(shift: number): number {
    const node = this.#room(NODE_BYTES);
    this.#memory[node + OFFSET.shift] = shift;
    return node;
  }

  #room(bytes: number): number {
    const at = this.#used;
    this.#used += Math.ceil(bytes / 8) * 8;
    return at;
  }

  #pointer(at: number, to: number): void {
    this.#memory.writeBigUInt64LE(START + BigInt(to), at);
  }
}
