/**
 * Programs of any length whose analysis could cost more than in proportion to it: each family repeats what the analysis
 * has to keep tables, queues or joins for. `n` is about the number of instructions.
 */
import type { Load } from "../../src/bpf/prog-load.js";

/** Writes instructions one after the other. */
export class Writer {
  #bytes = Buffer.alloc(8 * 1024);
  slots = 0;

  insn(opcode: number, dst: number, src: number, off: number, imm: number): this {
    if (8 * (this.slots + 1) > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    const at = 8 * this.slots++;
    this.#bytes[at] = opcode;
    this.#bytes[at + 1] = dst | (src << 4);
    this.#bytes.writeInt16LE(off, at + 2);
    this.#bytes.writeInt32LE(imm | 0, at + 4);
    return this;
  }

  move(dst: number, imm: number): this {
    return this.insn(0xb7, dst, 0, 0, imm);
  }
  copy(dst: number, src: number): this {
    return this.insn(0xbf, dst, src, 0, 0);
  }
  add(dst: number, imm: number): this {
    return this.insn(0x07, dst, 0, 0, imm);
  }
  load(dst: number, src: number, off: number): this {
    return this.insn(0x79, dst, src, off, 0);
  }
  store(dst: number, src: number, off: number): this {
    return this.insn(0x7b, dst, src, off, 0);
  }
  /** Goes on to `target` where the register equals a number. A distance beyond 16 bits is taken in two jumps. */
  jumpIfEqual(dst: number, imm: number, target: number): this {
    const distance = target - this.slots - 1;
    if (distance >= -0x8000 && distance < 0x8000) return this.insn(0x15, dst, 0, distance, imm);
    return this.insn(0x55, dst, 0, 1, imm).jump(target);
  }
  jump(target: number): this {
    return this.insn(0x06, 0, 0, 0, target - this.slots - 1);
  }
  call(target: number): this {
    return this.insn(0x85, 0, 1, 0, target - this.slots - 1);
  }
  helper(id: number): this {
    return this.insn(0x85, 0, 0, 0, id);
  }
  map(dst: number, fd: number): this {
    return this.insn(0x18, dst, 1, 0, fd).insn(0, 0, 0, 0, 0);
  }
  callback(dst: number, target: number): this {
    return this.insn(0x18, dst, 4, 0, target - this.slots - 1).insn(0, 0, 0, 0, 0);
  }
  end(): this {
    return this.move(0, 0).insn(0x95, 0, 0, 0, 0);
  }
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, 8 * this.slots);
  }
}

const RANDOM = 7; // bpf_get_prandom_u32
const CLOCK = 5; // bpf_ktime_get_ns
const LOOP = 181; // bpf_loop
const LOAD_BYTES = 189; // bpf_xdp_load_bytes
/** BPF_MAX_SUBPROGS, the program's own function among them. */
const FUNCTIONS = 256;
const DEEPEST = -512;
const slotAt = (index: number) => -8 * (1 + (index % 64));

/** Up to `n` instructions, the last of which end the program. */
function filled(n: number, write: (writer: Writer, round: number) => void, begin?: (writer: Writer) => void): Writer {
  const writer = new Writer();
  begin?.(writer);
  for (let round = 0; writer.slots < n - 16; round++) write(writer, round);
  return writer.end();
}

/** `count` functions behind a main function that is written first; each is told where the next one starts. */
function functions(
  n: number,
  count: number,
  main: (writer: Writer, starts: readonly number[]) => void,
  mainSlots: number,
  body: (writer: Writer, index: number, next: number) => void,
): Writer {
  const each = Math.max(4, Math.floor((n - mainSlots) / count));
  const starts = Array.from({ length: count }, (_, index) => mainSlots + index * each);
  const writer = new Writer();
  main(writer, starts);
  while (writer.slots < mainSlots - 2) writer.move(5, 1);
  writer.end();
  for (const [index, start] of starts.entries()) {
    body(writer, index, starts[index + 1] ?? start);
    while (writer.slots < start + each - 2) writer.move(5, 1);
    writer.end();
  }
  return writer;
}

type Family = (n: number) => Writer;

export const GROWING_PROGRAMS: Readonly<Record<string, Family>> = {
  "straight code": (n) => filled(n, (w) => w.move(1, 1)),
  "branches that meet at once": (n) =>
    filled(
      n,
      (w) => w.jumpIfEqual(0, 1, w.slots + 2).move(2, 3),
      (w) => w.helper(RANDOM),
    ),
  "branches around bytes of the stack that are written": (n) =>
    filled(
      n,
      (w, round) => w.jumpIfEqual(0, 1, w.slots + 2).insn(0x72, 10, 0, -1 - ((7 * round) % 512), 1),
      (w) => w.helper(RANDOM),
    ),
  "reads of unwritten bytes, the last of which is found first": (n) => {
    const writer = new Writer();
    const blocks = Math.floor((n - 4) / 2);
    writer.jump(1 + 2 * (blocks - 1));
    for (let block = 0; block < blocks; block++)
      writer.load(2, 10, DEEPEST).jump(block === 0 ? 1 + 2 * blocks : 1 + 2 * (block - 1));
    return writer.end();
  },
  "calls of helpers of which each result tells what is written": (n) =>
    filled(
      n,
      (w, round) =>
        w
          .copy(1, 6)
          .move(2, 0)
          .copy(3, 10)
          .add(3, slotAt(round))
          .move(4, 8)
          .helper(LOAD_BYTES)
          .jumpIfEqual(0, 0, w.slots + 2)
          .move(5, 1),
      (w) => w.copy(6, 1),
    ),
  "calls of a function that reads and writes every other byte of its caller's frame": (n) => {
    const writer = new Writer();
    while (writer.slots < n - 260)
      writer
        .copy(1, 10)
        .add(1, DEEPEST)
        .call(n - 258);
    while (writer.slots < n - 260) writer.move(0, 0);
    writer.end();
    while (writer.slots < n - 258) writer.move(0, 0);
    for (let at = 0; at < 512; at += 4) writer.insn(0x72, 1, 0, at, 1).insn(0x71, 2, 1, at + 2, 0);
    return writer.end();
  },
  "a chain of as many functions as there is room for": (n) => {
    const writer = new Writer();
    while (writer.slots < n - 4) writer.call(writer.slots + 2).insn(0x95, 0, 0, 0, 0);
    return writer.end();
  },
  "a function of its own for each call": (n) => {
    const writer = new Writer();
    const calls = Math.floor((n - 2) / 3);
    for (let index = 0; index < calls; index++) writer.call(calls + 2 + 2 * index);
    writer.end();
    for (let index = 0; index < calls; index++) writer.end();
    return writer;
  },
  "a chain of 255 functions": (n) =>
    functions(
      n,
      FUNCTIONS - 1,
      (w, [first]) => w.call(first!),
      4,
      (w, index, next) => (index === FUNCTIONS - 2 ? w.move(1, 1) : w.call(next)),
    ),
  "many callers of one function": (n) => {
    const writer = new Writer();
    while (writer.slots < n - 6) writer.call(n - 2);
    while (writer.slots < n - 4) writer.move(0, 0);
    return writer.end().end();
  },
  "many callers of 255 functions in turn": (n) =>
    functions(
      n,
      FUNCTIONS - 1,
      (w, starts) => {
        for (let index = 0; w.slots < Math.floor(n / 2) - 2; index++) w.call(starts[index % starts.length]!);
      },
      Math.floor(n / 2),
      (w, index) => w.move(0, index),
    ),
  "callbacks of which one of 250 is called": (n) =>
    functions(
      n,
      250,
      (w, starts) => {
        w.helper(RANDOM);
        while (w.slots < Math.floor(n / 2) - 16)
          w.callback(2, starts[0]!)
            .jumpIfEqual(0, 1, w.slots + 3)
            .callback(2, starts[1]!)
            .copy(3, 10)
            .move(1, 1)
            .move(4, 0)
            .helper(LOOP);
      },
      Math.floor(n / 2),
      (w, index) => w.move(3, index),
    ),
  "nested loops": (n) => {
    const depth = Math.min(4000, Math.floor((n - 4) / 2));
    return filled(
      n - 2 * depth,
      (w) => {
        const start = w.slots;
        for (let level = 0; level < depth; level++) w.helper(RANDOM);
        for (let level = 0; level < depth; level++) w.jumpIfEqual(0, level, start + depth - 1 - level);
      },
      (w) => w.helper(RANDOM),
    );
  },
  "jumps back to the start": (n) =>
    filled(
      n,
      (w, round) => w.add(6, 1).jumpIfEqual(0, round % 29, 1),
      (w) => w.helper(RANDOM).move(6, 0),
    ),
  "jumps back to the start with a deep frame": (n) =>
    filled(
      n,
      (w, round) => w.store(10, 0, slotAt(round)).jumpIfEqual(0, round % 29, 2),
      (w) => w.helper(RANDOM).store(10, 0, DEEPEST),
    ),
  "a wide join": (n) =>
    filled(
      n,
      (w, round) => {
        const end = w.slots + 2 * 4000;
        for (let index = 0; index < 4000 && w.slots < n - 16; index++)
          w.move(6, round * 4000 + index).jumpIfEqual(0, index, Math.min(end, n - 16));
        while (w.slots < Math.min(end, n - 16)) w.move(7, 0);
      },
      (w) => w.helper(RANDOM),
    ),
  "giant jump tables": (n) =>
    filled(
      n,
      (w) => {
        const cases = Math.min(4000, Math.floor((n - 16 - w.slots) / 4));
        const start = w.slots + cases;
        for (let index = 0; index < cases; index++) w.jumpIfEqual(0, index, start + 3 * index);
        for (let index = 0; index < cases; index++)
          w.move(6, index)
            .add(6, 1)
            .jump(start + 3 * cases);
        if (cases === 0) w.move(6, 0);
      },
      (w) => w.helper(RANDOM),
    ),
  "many spills": (n) =>
    filled(
      n,
      (w, round) => w.store(10, 6, slotAt(round)).load(7, 10, slotAt(7 * round)),
      (w) => w.copy(6, 1),
    ),
  "branches over a deep frame": (n) =>
    filled(
      n,
      (w, round) => w.store(10, 0, slotAt(round)).jumpIfEqual(0, round, w.slots + 1),
      (w) => w.helper(RANDOM).store(10, 0, DEEPEST),
    ),
  "stores somewhere in the frame": (n) =>
    filled(
      n,
      (w) => w.insn(0x7b, 7, 0, 0, 0).load(8, 7, 0),
      (w) => w.helper(RANDOM).store(10, 0, DEEPEST).insn(0x57, 0, 0, 0, 0x1f8).copy(7, 10).insn(0x1f, 7, 0, 0, 0),
    ),
  "helpers that write into the whole frame": (n) =>
    filled(n, (w) => w.copy(1, 10).add(1, DEEPEST).move(2, 8).move(3, 0).helper(4)),
  "pointers into the frame given away": (n) =>
    functions(
      n,
      200,
      (w, starts) => {
        w.store(10, 1, DEEPEST);
        for (let index = 0; w.slots < Math.floor(n / 2) - 8; index++)
          w.copy(1, 10)
            .add(1, slotAt(index))
            .move(2, index)
            .call(starts[index % starts.length]!);
      },
      Math.floor(n / 2),
      (w) => w.store(1, 2, 0),
    ),
  "a function that has written, and returns at many places": (n) =>
    functions(
      n,
      1,
      (w, starts) => w.helper(RANDOM).copy(2, 0).copy(1, 10).add(1, -64).call(starts[0]!),
      16,
      (w) => {
        for (let index = 0; index < 32; index++) w.store(1, 2, 2 * index);
        for (let index = 0; w.slots < n - 8; index++) w.insn(0x55, 2, 0, 2, index).end(); // goes on where r2 is another number
      },
    ),
  "a frame read and written from below": (n) =>
    functions(
      n,
      200,
      (w, starts) => {
        w.helper(RANDOM).store(10, 0, DEEPEST);
        for (let index = 0; w.slots < Math.floor(n / 2) - 12; index++)
          w.jumpIfEqual(0, index % 29, w.slots + 1)
            .copy(1, 10)
            .add(1, slotAt(index))
            .call(starts[index % starts.length]!)
            .load(6, 10, slotAt(index));
      },
      Math.floor(n / 2),
      (w, index) => w.load(2, 1, 0).add(2, index).store(1, 2, 0).copy(0, 2),
    ),
  "numbers that all differ": (n) => filled(n, (w, round) => w.move(6, 7919 * round)),
  "numbers that differ in their upper bits": (n) => filled(n, (w, round) => w.move(6, round << 12)),
  "bytes that all differ": (n) =>
    filled(n, (w, round) =>
      w.insn(0x72, 10, 0, -1 - ((Math.imul(round, 0x9e3779b1) >>> 8) % 512), (Math.imul(round, 40503) >>> 4) & 0xff),
    ),
  "offsets that all differ": (n) =>
    filled(
      n,
      (w) => w.add(6, -8),
      (w) => w.copy(6, 10),
    ),
  "many maps": (n) => filled(n, (w, round) => w.map(1, round)),
  "helpers in turn": (n) => filled(n, (w) => w.helper(RANDOM).helper(CLOCK)),
  "helpers that all differ": (n) => filled(n, (w, round) => w.helper(1000 + round)),
  "stores into the context": (n) =>
    filled(
      n,
      (w) => w.insn(0x62, 6, 0, 16, 5),
      (w) => w.copy(6, 1),
    ),
  "many ends": (n) =>
    filled(n, (w) =>
      w
        .helper(RANDOM)
        .jumpIfEqual(0, 1, w.slots + 3)
        .end(),
    ),
  "code that nothing reaches": (n) => filled(n, (w) => w.end()),
  "loads from the packet": (n) => filled(n, (w) => w.insn(0x30, 0, 0, 0, 4)),
};

/** A program as it is loaded, without BTF. `type`: enum bpf_prog_type, a tracepoint's unless told otherwise. */
export function loadOf(insns: Uint8Array, type = 5): Load {
  const attr = Buffer.alloc(168);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(insns.length / 8, 4);
  const none = new Uint8Array(0);
  const records = { funcInfo: none, lineInfo: none, coreRelos: none };
  return { attr, insns, license: "GPL", btf: null, ...records, fds: MANY_MAPS, kernel: null };
}

/** Each fd is another map. */
const MANY_MAPS = { mapByFd: (fd: number) => mapOf(fd), mapByIndex: () => null };
const maps = new Map<number, ReturnType<typeof make>>();

function mapOf(fd: number) {
  const map = maps.get(fd % 512) ?? make(`map${fd % 512}`);
  maps.set(fd % 512, map);
  return map;
}

function make(name: string) {
  const sizes = { key_size: 4, value_size: 8, max_entries: 16, flags: 0 };
  return { name, type: "hash", ...sizes, contents: null, own: true, data: null, frozen: false, inner: null };
}
