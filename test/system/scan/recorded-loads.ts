import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { effectsOf } from "../../../src/bpf/analysis/effects.js";
import { Btf } from "../../../src/bpf/btf/btf.js";
import { INSN_SIZE, OP } from "../../../src/bpf/insn/insn.js";
import { LiveProgram, liveRecords } from "../../../src/bpf/live-program.js";
import type { CodeMap } from "../../../src/bpf/model/code.js";
import type { Effects } from "../../../src/bpf/model/facts.js";
import { attachTypeName, programTypeName } from "../../../src/bpf/object/section.js";
import type { EffectsAtMost } from "../../../src/bpf/translated-program.js";
import { loadedFor } from "../../../src/loaded/effects/attach-type.js";
import { programEffects, type TranslatingKernel, type UsedMap } from "../../../src/loaded/effects/program-effects.js";
import { mapReport } from "../../../src/loaded/views/map-report.js";
import { NO_PROGRAM } from "../../support/translated.js";

const SOURCE = fileURLToPath(new URL("recorded-loads.c", import.meta.url));

/** A load of a program, and what the kernel showed of it afterwards. */
export interface RecordedLoad {
  readonly name: string;
  readonly type: string;
  readonly expectedAttachType: string | null;
  /** The name of its target in the kernel's BTF. */
  readonly target: string | null;
  readonly insns: Uint8Array;
  readonly parts: readonly (readonly [letters: string, bytes: Buffer])[];
  readonly maps: readonly UsedMap[];
  readonly btf: Btf | null;
}

/** Builds the library that records loads. */
export function buildRecorder(path: string): void {
  execFileSync("gcc", ["-O1", "-shared", "-fPIC", "-o", path, SOURCE]);
}

/** The loads in a folder, without those by which libbpf tries what the kernel can. */
export function recordedLoads(folder: string, kernel: Btf): RecordedLoad[] {
  const all = readdirSync(folder).map((file) => recordedLoad(readFileSync(join(folder, file)), kernel));
  return all.filter(({ name, btf }) => btf !== null && name !== "" && !PROBES.has(name));
}

const PROBES = new Set(["test", "det_arg_ctx", "libbpf_nametest"]);

function recordedLoad(bytes: Buffer, kernel: Btf): RecordedLoad {
  const parts: (readonly [string, Buffer])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    parts.push([bytes.toString("latin1", at, at + 4), bytes.subarray(at + 8, end)]);
    at = end;
  }
  const attr = partOf(parts, "ATTR");
  const type = programTypeName(attr.readUInt32LE(0));
  const target = attr.readUInt32LE(112) === 0 ? attr.readUInt32LE(108) : 0;
  const btf = partOf(parts, "PBTF");
  return {
    name: attr.toString("latin1", 48, 64).replace(/\0.*$/s, ""),
    type,
    expectedAttachType: attachTypeName(type, attr.readUInt32LE(68)),
    target: target === 0 ? null : kernel.name(target),
    insns: partOf(parts, "INSN"),
    parts,
    maps: parts.flatMap(([letters, map], index) => {
      if (letters !== "MAP ") return [];
      const [frozen, value] = [parts[index + 1]![1].readUInt32LE(0), parts[index + 2]];
      const view = new DataView(map.buffer, map.byteOffset, map.length);
      const report = { ...mapReport(view, `frozen:\t${frozen}\n`), btfId: null };
      return [{ report, isShared: false, value: value?.[0] === "DATA" ? value[1] : null }];
    }),
    btf: btf.length === 0 ? null : new Btf(btf, "the program's BTF"),
  };
}

const partOf = (parts: RecordedLoad["parts"], letters: string) =>
  parts.find(([each]) => each === letters)?.[1] ?? Buffer.alloc(0);

/** The effects of the instructions that were loaded, with the contents of maps that cannot change. */
export function exactEffects({
  name,
  type,
  expectedAttachType,
  target,
  parts,
  maps,
  btf,
  insns,
}: RecordedLoad): Effects {
  const ids = new Map(
    parts.filter(([each]) => each === "FDID").map(([, pair]) => [pair.readInt32LE(0), pair.readInt32LE(4)]),
  );
  const byId = new Map(maps.map((map) => [map.report.id, codeMapOf(map)]));
  const mapByFd = (fd: number) => byId.get(ids.get(fd) ?? -1) ?? null;
  const functions = partOf(parts, "FUNC");
  const [stride, count] = [partOf(parts, "ATTR").readUInt32LE(76), partOf(parts, "ATTR").readUInt32LE(88)];
  const none = { kernel: null, lines: null, relocations: null };
  return effectsOf(
    new LiveProgram({
      ...{ name, type, expectedAttachType, attachTo: loadedFor(type, [], target).attachTo, btf, ...none },
      insns: withConstants(insns, mapByFd),
      functions: liveRecords(functions, stride, count, "functions"),
      fds: { mapByFd, mapByIndex: () => null },
    }),
  ).effects;
}

function codeMapOf({ report, value }: UsedMap): CodeMap {
  const { name, type, keySize: key_size, valueSize: value_size, maxEntries: max_entries, flags } = report;
  const frozen = report.frozen === true && (flags & 128) !== 0 && value !== null;
  const sizes = { key_size, value_size, max_entries, flags };
  return { name, type, ...sizes, contents: null, own: true, data: frozen ? value : null, frozen, inner: null };
}

/**
 * The same instructions, with loads from frozen global data as the constants that they are for the verifier: what they
 * switch off is not in the translated instructions. Only loads directly after their `ld_imm64` are found.
 */
function withConstants(insns: Uint8Array, mapByFd: (fd: number) => CodeMap | null): Uint8Array {
  const bytes = Buffer.from(insns);
  for (let at = 0; at < bytes.length; at += INSN_SIZE) {
    if (bytes[at] !== OP.LD_IMM64) continue;
    const [pointer, kind] = [bytes[at + 1]! & 15, bytes[at + 1]! >> 4];
    const map = kind === 2 ? mapByFd(bytes.readInt32LE(at + 4)) : null;
    const offset = bytes.readInt32LE(at + 12);
    at += INSN_SIZE;
    const next = at + INSN_SIZE;
    const op = bytes[next] ?? 0;
    const isLoad = (op & (OP.CLASS | OP.MODE)) === (OP.LDX | OP.MEM) && bytes[next + 1]! >> 4 === pointer;
    if (!isLoad || map?.data == null) continue;
    const size = [4, 2, 1, 8][(op & OP.SIZE) >> 3]!;
    const from = offset + bytes.readInt16LE(next + 2);
    let value = 0;
    for (let index = size - 1; index >= 0; index--) value = value * 256 + (map.data[from + index] ?? 0);
    if (value >= 2 ** 31) continue;
    bytes[next] = MOVE_NUMBER;
    bytes[next + 1]! &= 15;
    bytes.writeInt16LE(0, next + 2);
    bytes.writeInt32LE(value, next + 4);
  }
  return bytes;
}

const MOVE_NUMBER = 0xb7;

/** What it can at most do, as far as the kernel shows it of a program without links. */
export function effectsAtMost(load: RecordedLoad, kernel: TranslatingKernel): EffectsAtMost {
  const { name, type, target, parts, maps, btf } = load;
  const code = {
    report: { ...NO_PROGRAM, name, type },
    loadedFor: loadedFor(type, [], target),
    translated: partOf(parts, "XLAT"),
    functions: partOf(parts, "XFUN"),
    ...{ lines: new Uint8Array(), btf },
  };
  return programEffects(code, maps, kernel);
}
