import type { Btf } from "../../bpf/btf/btf.js";
import type { KernelSymbols } from "../effects/kernel-symbols.js";
import { addressOf, type KernelMemory } from "../memory/kernel-memory.js";
import { memberOffset } from "../memory/structure.js";
import { entryAt, longAt, type XarrayLayout, xarrayAt, xarrayLayout } from "../memory/xarray.js";

/** The digests of the programs that the kernel has, or why they are not known. */
export interface ProgramDigests {
  /** By id: SHA-256 of the instructions as they were loaded, in lower-case hex: the fact `digest` of policies. */
  readonly byId: ReadonlyMap<number, string>;
  /** Null if each program that was asked for has one. */
  readonly reason: string | null;
}

/** A program whose digest is asked for. */
export interface AskedProgram {
  readonly id: number;
  /** The first 8 bytes of its digest in hex, as the kernel reports it. */
  readonly tag: string;
}

/**
 * The digests that Linux 6.18 and later keeps of programs (`digest` of struct bpf_prog), which no bpf(2) command
 * reports. They are read from the kernel's memory, where `prog_idr` has the programs by their ids. A program counts
 * only if its id and its tag are the reported ones, since memory can change while it is read.
 */
export function programDigests(
  programs: readonly AskedProgram[],
  memory: KernelMemory,
  types: Btf,
  symbols: KernelSymbols,
): ProgramDigests {
  const layout = layoutOf(types);
  if (layout === null) return none("this kernel keeps no digests of programs: Linux has them since 6.18");
  if (symbols.isHidden) return none("the kernel hides addresses: set sysctl kernel.kptr_restrict to 0 or 1");
  const address = symbols.address("prog_idr");
  if (address === null)
    return none("the kernel's symbols do not have prog_idr: it was built without CONFIG_KALLSYMS_ALL");
  const table = xarrayAt(memory, addressOf(address), layout);
  if (table === null) return none("the kernel's memory cannot be read at prog_idr");
  const byId = new Map<number, string>();
  for (const { id, tag } of programs) {
    const program = entryAt(table, id);
    const digest = program === null ? null : digestOf(memory, program, id, layout);
    if (digest?.startsWith(tag) === true) byId.set(id, digest);
  }
  const missing = programs.filter(({ id }) => !byId.has(id)).map(({ id }) => id);
  const [first] = missing;
  if (first === undefined) return { byId, reason: null };
  const others = missing.length === 1 ? "" : ` and ${missing.length - 1} others`;
  return { byId, reason: `the kernel's memory does not show the digest of program ${first}${others}` };
}

const none = (reason: string): ProgramDigests => ({ byId: new Map(), reason });

/** Byte offsets in structures of the kernel. */
type Layout = XarrayLayout & Readonly<Record<keyof typeof MEMBERS, number>>;

const MEMBERS = {
  digest: ["bpf_prog", "digest"],
  auxiliary: ["bpf_prog", "aux"],
  id: ["bpf_prog_aux", "id"],
} as const;

/** Null if the kernel has no digests. The xarray is the first member of struct idr. */
function layoutOf(types: Btf): Layout | null {
  const xarray = xarrayLayout(types);
  const offsets = Object.entries(MEMBERS).map(([key, [structure, member]]) => {
    return [key, memberOffset(types, structure, member)] as const;
  });
  if (xarray === null || offsets.some(([, offset]) => offset === null)) return null;
  return { ...xarray, ...(Object.fromEntries(offsets) as Record<keyof typeof MEMBERS, number>) };
}

/** SHA-256. */
const DIGEST_BYTES = 32;

function digestOf(memory: KernelMemory, program: bigint, id: number, layout: Layout): string | null {
  const auxiliary = longAt(memory, program + BigInt(layout.auxiliary));
  if (auxiliary === null || memory.read(auxiliary + BigInt(layout.id), 4)?.getUint32(0, true) !== id) return null;
  const digest = memory.read(program + BigInt(layout.digest), DIGEST_BYTES);
  return digest === null ? null : Buffer.from(digest.buffer, digest.byteOffset, DIGEST_BYTES).toString("hex");
}
