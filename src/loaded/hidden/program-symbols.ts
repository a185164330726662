import { openObject } from "../../sys/bpf.js";
import { objectReport } from "../../sys/bpf-objects.js";
import { objectName } from "../reads/object-results.js";
import { Opened } from "../reads/opened.js";
import type { Raw, Reads } from "../reads/reads.js";
import { structureRead, textOf } from "../reads/values.js";
import { PROGRAM_FIELDS, PROGRAM_SIZE } from "../views/program-report.js";
import { linesEndingWith } from "./ending-lines.js";

/** The symbol of a function of a program: `bpf_prog_`, the tag and the name (kernel/bpf/core.c). */
export interface ProgramSymbol {
  /** 16 hex digits; all 0 if the kernel hides addresses. */
  readonly address: string;
  /** Of the program, or of its function. */
  readonly tag: string;
  readonly name: string;
}

const SYMBOL = /^([0-9a-f]{16}) \S bpf_prog_([0-9a-f]{16})(?:_(\S*))?\t\[bpf\]$/;
export const HIDDEN_ADDRESS = "0".repeat(16);

/** The functions of programs that the text of /proc/kallsyms has; null if it cannot be read. */
export function programSymbols(reads: Reads, kallsyms: () => Raw): readonly ProgramSymbol[] | null {
  const raw = reads.bytes("@kernel/program-symbols", () => {
    const found = kallsyms();
    if (typeof found === "number") return found;
    const lines = linesEndingWith(found, "\t[bpf]");
    return Buffer.from(lines.flatMap((line) => (SYMBOL.test(line) ? [`${line}\n`] : [])).join(""), "latin1");
  });
  const text = textOf(raw, "latin1");
  if (text === null) return null;
  return text.split("\n").flatMap((line) => {
    const [, address, tag, name] = SYMBOL.exec(line) ?? [];
    return address === undefined ? [] : [{ address, tag: tag!, name: name ?? "" }];
  });
}

/** What a program has in other views: where its functions are, and the trampoline that calls it. */
export interface ProgramTraces {
  /** Number of functions that the kernel compiled. */
  readonly count: number;
  /** 16 hex digits each; none if the kernel hides addresses. */
  readonly addresses: readonly string[];
  /** The key of its trampoline (bpf_trampoline_compute_key of linux/bpf_verifier.h); null if it has no target. */
  readonly key: string | null;
}

/** Room for functions: a program has at most 256 (BPF_MAX_SUBPROGS). */
const ROOM = 256;

/** Null if the program is gone. */
export function programTraces(reads: Reads, id: number): ProgramTraces | null {
  const info = structureRead(reads, `${objectName("program", id)}/symbols`, PROGRAM_SIZE, () => {
    const object = new Opened(() => openObject("program", id));
    const report = object.use(withAddresses);
    object.close();
    return report;
  });
  if (typeof info === "number") return null;
  const word = (name: keyof typeof PROGRAM_FIELDS) => info.getUint32(PROGRAM_FIELDS[name], true);
  const count = word("nr_jited_ksyms");
  const known = Math.min(count, (info.byteLength - PROGRAM_SIZE) >> 3);
  const addresses = Array.from({ length: known }, (_, index) => info.getBigUint64(PROGRAM_SIZE + 8 * index, true))
    .filter((address) => address !== 0n)
    .map((address) => address.toString(16).padStart(16, "0"));
  const [object, type] = [word("attach_btf_obj_id"), word("attach_btf_id")];
  const key = object === 0 ? null : String((BigInt(object) << 32n) | 0x8000_0000n | BigInt(type));
  return { count, addresses, key };
}

/** A report of {@link PROGRAM_SIZE} bytes, and after it an address of 64 bits for each function. */
function withAddresses(fd: number): Uint8Array | number {
  const buffer = new Uint8Array(8 * ROOM);
  const { jited_ksyms: address, nr_jited_ksyms: length } = PROGRAM_FIELDS;
  const info = objectReport(fd, PROGRAM_SIZE, [{ address, length, unit: 8, buffer }]);
  if (typeof info === "number") return info;
  const count = Math.min(info.getUint32(length, true), ROOM);
  return Buffer.concat([new Uint8Array(info.buffer), buffer.subarray(0, 8 * count)]);
}
