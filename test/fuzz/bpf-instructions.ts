import { BpfObject } from "../../src/bpf/object.js";
import { factsOfLoad, type Load } from "../../src/bpf/prog-load.js";
import { PROGRAM_TYPES } from "../../src/bpf/tables/names.gen.js";
import { example } from "../support/examples.js";
import { liveLoad } from "../support/live-load.js";
import { type FuzzTarget, outcome } from "./target.js";

type Next = (below: number) => number;

const loads: readonly Load[] = ["rate-limit", "exec-log", "xdp-steer", "switch-watch"].flatMap((name) => {
  const object = new BpfObject(example(name));
  return object.functions.map((each) => liveLoad(object, object.program(each)));
});

/** Every class and mode of instruction, helpers and references to maps among them. */
const OPCODES = [
  0x07, 0x0f, 0xb7, 0xbf, 0x17, 0x57, 0x67, 0xc7, 0xd4, 0x04, 0xb4, 0xbc, 0x18, 0x85, 0x95, 0x05, 0x06, 0x15, 0x1d,
  0x2d, 0x55, 0xa5, 0xc5, 0x16, 0x61, 0x69, 0x71, 0x79, 0x81, 0x62, 0x72, 0x7a, 0x63, 0x73, 0x7b, 0xc3, 0xdb, 0x20,
  0x28, 0x40,
] as const;

/** Live loads: instructions of real programs changed one field at a time, and streams of nothing but chance. */
export const target: FuzzTarget = {
  rounds: 100_000,
  round(next) {
    const whole = loads[next(loads.length)]!;
    const insns = next(3) === 0 ? invented(next) : changed(whole.insns.slice(), next);
    const attr = Buffer.from(whole.attr);
    attr.writeUInt32LE(insns.length / 8, 4);
    if (next(4) === 0) attr.writeUInt32LE(next(PROGRAM_TYPES.length + 2), 0);
    return outcome(() => factsOfLoad({ ...whole, attr, insns }));
  },
};

function invented(next: Next): Uint8Array {
  const insns = new Uint8Array(8 * (1 + next(200)));
  for (let at = 0; at < insns.length; at += 8) write(insns, at, next);
  return insns;
}

function changed(insns: Uint8Array, next: Next): Uint8Array {
  for (let rounds = next(4); rounds >= 0; rounds--) {
    const at = 8 * next(insns.length / 8);
    if (next(2) === 0) write(insns, at, next);
    else insns[at + next(8)] = [0, 1, 0xff, 0x7f, 0x80, next(256)][next(6)]!;
  }
  return insns;
}

function write(insns: Uint8Array, at: number, next: Next): void {
  const view = new DataView(insns.buffer, insns.byteOffset + at, 8);
  view.setUint8(0, next(20) === 0 ? next(256) : OPCODES[next(OPCODES.length)]!);
  view.setUint8(1, next(11) | (next(11) << 4));
  view.setInt16(2, next(4) === 0 ? next(65536) - 32768 : next(64) - 32, true);
  view.setInt32(4, next(4) === 0 ? next(0xffffffff) | 0 : next(220), true);
}
