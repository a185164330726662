import { createHash } from "node:crypto";
import { INSN_SIZE, OP } from "../../../bpf/insn/insn.js";
import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { type KernelMap, mapInfo, programNumbers } from "../../../sys/bpf.js";
import { btfReport, mapTypes } from "../../../sys/btf.js";
import { TICKET } from "../../../sys/tickets.js";
import { LOAD } from "../../call/attr.js";
import { deny } from "../../call/failure.js";
import type { IssuedObjects } from "../../call/issued-objects.js";
import { OUTER } from "../objects/create.js";
import { isBtf } from "../objects/live-definition.js";
import { constantValue } from "../objects/map-subject.js";
import type { LiveLoad } from "./live-load.js";

/**
 * The ticket for a load that policies allowed: a struct guard_ticket of seal/guard/interface.h, with everything that
 * the guard compares, and without a deadline. Denies the call by `ticket` if the guard could not compare the load.
 */
export function ticketOf(load: LiveLoad, program: ProgramSubject, objects: IssuedObjects): Uint8Array {
  const { attr } = load;
  const bytes = Buffer.alloc(TICKET.size);
  const put = (field: keyof typeof TICKET, value: number) => bytes.writeUInt32LE(value, TICKET[field]);
  const type = attr.u32(LOAD.progType);
  bytes.write(program.digest, TICKET.digest, "hex");
  put("progType", type);
  put("expectedAttachType", completedAttachType(type, attr.u32(LOAD.expectedAttachType)));
  put("attachBtfId", attr.u32(LOAD.attachBtfId));
  put("progFlags", attr.u32(LOAD.progFlags));
  put("gplCompatible", program.gpl_compatible ? 1 : 0);
  const target = targetOf(attr.s32(LOAD.attachFd));
  put("attachProgId", target.program);
  put("attachBtfObjId", target.btf);
  bytes.set(digestOfMaps(load, objects), TICKET.maps);
  return bytes;
}

/**
 * What the kernel makes of attach type 0 (bpf_prog_load_fixup_attach_type of kernel/bpf/syscall.c), by program type:
 * BPF_CGROUP_INET_SOCK_CREATE for BPF_PROG_TYPE_CGROUP_SOCK, BPF_SK_REUSEPORT_SELECT for BPF_PROG_TYPE_SK_REUSEPORT.
 */
const COMPLETED: Readonly<Record<number, number>> = { 9: 2, 21: 39 };

function completedAttachType(type: number, attachType: number): number {
  return attachType === 0 ? (COMPLETED[type] ?? 0) : attachType;
}

/** The ids of what attach_prog_fd or attach_btf_obj_fd refers to; 0 for vmlinux, and if there is none. */
function targetOf(fd: number): { readonly program: number; readonly btf: number } {
  if (fd <= 0) return { program: 0, btf: 0 };
  if (isBtf(fd)) {
    const report = btfReport(fd);
    return { program: 0, btf: typeof report === "number" || report.name === "vmlinux" ? 0 : report.id };
  }
  const numbers = programNumbers(fd);
  return { program: typeof numbers === "number" ? 0 : numbers.id, btf: 0 };
}

/** GUARD_MAX_MAPS of interface.h. */
const MAX_MAPS = 64;
/** Sizes in bytes of struct list_references and of what is digested of struct list_map, and of their blocks. */
const REFERENCES = { size: 40, block: 64 } as const;
const MAP = { size: 88, block: 128 } as const;

/** The digest of struct guard_ticket.maps: 32 zero bytes if no instruction refers to a map. */
function digestOfMaps(load: LiveLoad, objects: IssuedObjects): Uint8Array {
  const references = referencesOf(load.insns);
  if (references.length === 0) return new Uint8Array(32);
  const names = [...new Set(references.map(({ name }) => name))];
  if (names.length > MAX_MAPS)
    return deny("ticket", `its instructions refer to ${names.length} maps, where the guard compares ${MAX_MAPS}`);
  const numbers = new Map(names.map((name, number) => [name, number]));
  const words = Uint32Array.from(references.flatMap(({ name, offset }) => [numbers.get(name)!, offset]));
  const head = Buffer.alloc(REFERENCES.block);
  head.writeUInt32LE(names.length, 0);
  head.writeUInt32LE(references.length, 4);
  head.set(createHash("sha256").update(new Uint8Array(words.buffer)).digest(), 8);
  const digest = createHash("sha256").update(head);
  for (const name of names) {
    const fd = load.maps.get(name);
    const info = fd === undefined ? -1 : mapInfo(fd);
    // the kernel rejects the load
    if (fd === undefined || typeof info === "number") return new Uint8Array(32);
    digest.update(describedMap(info, fd, objects));
  }
  return digest.digest();
}

/** A reference of an instruction to a map. */
interface Reference {
  /** As {@link LiveLoad.maps} names the map. */
  readonly name: string;
  /** The immediate of the second slot: an offset into the map's value. */
  readonly offset: number;
}

/** `ld_imm64` with BPF_PSEUDO_MAP_FD, MAP_VALUE, MAP_IDX and MAP_IDX_VALUE (linux/bpf.h), by source register. */
const KINDS: Readonly<Record<number, "fd" | "index">> = { 1: "fd", 2: "fd", 5: "index", 6: "index" };

function referencesOf(insns: Uint8Array): readonly Reference[] {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const found: Reference[] = [];
  for (let at = 0; at + 2 * INSN_SIZE <= insns.length; at += INSN_SIZE) {
    if (insns[at] !== OP.LD_IMM64) continue;
    const kind = KINDS[insns[at + 1]! >> 4];
    const number = view.getInt32(at + 4, true);
    if (kind !== undefined)
      found.push({
        name: `${kind} ${kind === "fd" ? number : number >>> 0}`,
        offset: view.getUint32(at + INSN_SIZE + 4, true),
      });
    at += INSN_SIZE;
  }
  return found;
}

/** The first bytes of struct list_map for a map of the kernel, with zeros up to the end of the block. */
function describedMap(info: KernelMap, fd: number, objects: IssuedObjects): Uint8Array {
  const bytes = Buffer.alloc(MAP.block);
  const types = mapTypes(fd);
  bytes.writeBigUInt64LE(typeof types === "number" ? 0n : BigInt(types.mapExtra), 0);
  // the guard takes no map that programs can write to for constant, even if it is exclusive to one program
  const contents = constantValue(info, fd, false);
  const inner = OUTER.has(info.type) ? innerOf(info, objects) : NO_MAP;
  const numbers = [...numbersOf(info), contents === null ? 0 : 1, ...inner];
  for (const [index, number] of numbers.entries()) bytes.writeUInt32LE(number, 8 + 4 * index);
  if (contents !== null) bytes.set(createHash("sha256").update(contents).digest(), MAP.size - 32);
  return bytes;
}

type Numbers = Pick<KernelMap, "type" | "keySize" | "valueSize" | "maxEntries" | "flags">;

function numbersOf({ type, keySize, valueSize, maxEntries, flags }: Numbers): readonly number[] {
  return [type, keySize, valueSize, maxEntries, flags];
}

const NO_MAP: readonly number[] = [0, 0, 0, 0, 0];

/** The kernel does not report which maps a map of maps takes; the gate knows it of those that it created. */
function innerOf({ id, name }: KernelMap, objects: IssuedObjects): readonly number[] {
  const inner = objects.map(id)?.creation?.inner ?? null;
  if (inner !== null) return numbersOf(inner);
  return deny("ticket", `its map of maps \`${name}\` was not created by this agent, which cannot tell what it takes`);
}
