import type { ScannedKernel } from "../effects/scanned-kernel.js";
import { withKernelMemory } from "../memory/opened-memory.js";
import type { ProgramReport } from "../model/objects.js";
import type { Reads } from "../reads/reads.js";
import { invalidArchive } from "../reads/saved-error.js";
import { textOf } from "../reads/values.js";
import { type ProgramDigests, programDigests } from "./program-digests.js";

const NAME = "@kernel/digests";

/** Reads the digests of programs in the kernel's memory. */
export function digestsOfPrograms(
  reads: Reads,
  programs: readonly ProgramReport[],
  kernel: ScannedKernel,
): ProgramDigests {
  const text = textOf(reads.bytes(NAME, () => Buffer.from(digestsText(programs, kernel))));
  return text === null ? { byId: new Map(), reason: "the archive has no digests" } : savedDigests(text);
}

/** A line for each digest, and the reason after them with a hyphen before it, if there is one. */
function digestsText(programs: readonly ProgramReport[], kernel: ScannedKernel): string {
  const { byId, reason } = fromMemory(programs, kernel);
  const lines = [...byId].map(([id, digest]) => `${id} ${digest}\n`);
  return [...lines, ...(reason === null ? [] : [`- ${reason}\n`])].join("");
}

/** Throws SCAN_ARCHIVE_INVALID. */
function savedDigests(text: string): ProgramDigests {
  const byId = new Map<number, string>();
  let reason: string | null = null;
  for (const line of text.split("\n").slice(0, -1)) {
    const [, id, digest] = /^(\d{1,10}) ([0-9a-f]{64})$/.exec(line) ?? [];
    if (digest !== undefined) byId.set(Number(id), digest);
    else if (reason === null && line.startsWith("- ")) reason = line.slice(2);
    else throw invalidArchive("is no list of digests", NAME);
  }
  return { byId, reason };
}

function fromMemory(programs: readonly ProgramReport[], kernel: ScannedKernel): ProgramDigests {
  if (programs.length === 0) return { byId: new Map(), reason: null };
  const types = kernel.types.btf(kernel.types.vmlinux);
  const { symbols } = kernel;
  if (types === null || symbols === null)
    return { byId: new Map(), reason: "the kernel shows neither its types nor its symbols" };
  return withKernelMemory<ProgramDigests>(
    (memory) => programDigests(programs, memory, types, symbols),
    (reason) => ({ byId: new Map(), reason }),
  );
}
