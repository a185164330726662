import type { Btf } from "../../bpf/btf/btf.js";
import type { KernelSymbols } from "../effects/kernel-symbols.js";
import { addressOf, type KernelMemory } from "../memory/kernel-memory.js";
import { memberOffset } from "../memory/structure.js";
import { entriesOf, longAt, type Xarray, xarrayAt, xarrayLayout } from "../memory/xarray.js";
import type { ObjectName } from "../model/references.js";

type Kind = ObjectName["kind"];

/** An object in the kernel's tables of ids. */
export interface MemoryObject {
  readonly kind: Kind;
  readonly id: number;
  /** As the task that loaded it gave it; empty for a link. */
  readonly name: string;
  /** 16 hex digits; null for maps and links. */
  readonly tag: string | null;
}

/** What the tables of ids have. */
export interface MemoryObjects {
  readonly objects: readonly MemoryObject[];
  /** By kind: ids of later objects are not below this one, until the numbers begin anew after 2^31. */
  readonly next: ReadonlyMap<Kind, number>;
  /** Why they cannot be read; null if they can. */
  readonly reason: string | null;
}

const TABLES: Readonly<Record<Kind, string>> = { program: "prog_idr", map: "map_idr", link: "link_idr" };

type Member = readonly [structure: string, member: string];

/** Members that say which object it is. A program has them in a structure of its own. */
const MEMBERS: Readonly<Record<Kind, { readonly id: Member; readonly name: Member | null }>> = {
  program: { id: ["bpf_prog_aux", "id"], name: ["bpf_prog_aux", "name"] },
  map: { id: ["bpf_map", "id"], name: ["bpf_map", "name"] },
  link: { id: ["bpf_link", "id"], name: null },
};

/** BPF_OBJ_NAME_LEN of linux/bpf.h. */
const NAME_BYTES = 16;
const TAG_BYTES = 8;
/** More objects than a kernel with less than 100 GB for them has. */
const MOST = 2 ** 20;

/**
 * The objects in the kernel's tables of ids (prog_idr, map_idr and link_idr of kernel/bpf/syscall.c). An entry counts
 * only if its object has the same id: memory can change while it is read, and a new object's entry comes first.
 */
export function memoryObjects(memory: KernelMemory, types: Btf, symbols: KernelSymbols): MemoryObjects {
  const layout = xarrayLayout(types);
  const next = memberOffset(types, "idr", "idr_next");
  if (layout === null || next === null) return unread("the kernel's types do not have its tables of ids");
  if (symbols.isHidden) return unread("the kernel hides addresses: set sysctl kernel.kptr_restrict to 0 or 1");
  const objects: MemoryObject[] = [];
  const nexts = new Map<Kind, number>();
  for (const kind of Object.keys(TABLES) as Kind[]) {
    const words = symbols.address(TABLES[kind]);
    if (words === null) return unread(`the kernel's symbols do not have ${TABLES[kind]}`);
    const address = addressOf(words);
    const table = xarrayAt(memory, address, layout);
    const readId = objectReader(memory, types, kind);
    if (table === null || readId === null) return unread(`the kernel's memory cannot be read at ${TABLES[kind]}`);
    objects.push(...objectsIn(table, readId));
    nexts.set(kind, memory.read(address + BigInt(next), 4)?.getUint32(0, true) ?? 0);
  }
  return { objects, next: nexts, reason: null };
}

export const unread = (reason: string): MemoryObjects => ({ objects: [], next: new Map(), reason });

type ReadObject = (pointer: bigint) => MemoryObject | null;

function* objectsIn(table: Xarray, read: ReadObject): Generator<MemoryObject> {
  for (const entry of entriesOf(table, MOST)) {
    if (entry === null) continue;
    const object = read(entry[1]);
    if (object !== null && object.id === entry[0]) yield object;
  }
}

/** Null if the kernel's types lack a member. */
function objectReader(memory: KernelMemory, types: Btf, kind: Kind): ReadObject | null {
  const { id, name } = MEMBERS[kind];
  const idAt = memberOffset(types, ...id);
  const nameAt = name === null ? 0 : memberOffset(types, ...name);
  const [auxiliary, tagAt] = [memberOffset(types, "bpf_prog", "aux"), memberOffset(types, "bpf_prog", "tag")];
  if (idAt === null || nameAt === null || auxiliary === null || tagAt === null) return null;
  return (pointer) => {
    const object = kind === "program" ? longAt(memory, pointer + BigInt(auxiliary)) : pointer;
    const number = object === null ? null : memory.read(object + BigInt(idAt), 4);
    if (object === null || number === null) return null;
    const text = name === null ? null : memory.read(object + BigInt(nameAt), NAME_BYTES);
    const tag = kind === "program" ? memory.read(pointer + BigInt(tagAt), TAG_BYTES) : null;
    return {
      kind,
      id: number.getUint32(0, true),
      name: text === null ? "" : nameIn(text),
      tag: tag === null ? null : bytesOf(tag).toString("hex"),
    };
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: DataView) => Buffer.from(buffer, byteOffset, byteLength);

/** Up to the NUL; `?` for what no name has. */
const nameIn = (text: DataView) =>
  bytesOf(text)
    .toString("latin1")
    .split("\0")[0]!
    .replace(/[^!-~]/g, "?");
