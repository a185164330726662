import { sha256 } from "../../../bpf/insn/digest.js";
import type { LiveMapDefinition } from "../../../bpf/recognition.js";
import { btfOf, type KernelMap, mapInfo } from "../../../sys/bpf.js";
import { btfById, btfReport, mapTypes } from "../../../sys/btf.js";
import { readLink } from "../../../sys/file.js";
import { IdCache } from "./id-cache.js";

/** The definition of a map as the kernel reports it; null if the fd is no map. */
export function mapDefinition(fd: number, known?: KernelMap): LiveMapDefinition | null {
  const info = known ?? mapInfo(fd);
  const types = mapTypes(fd);
  if (typeof info === "number" || typeof types === "number") return null;
  const { type, keySize, valueSize, maxEntries, flags } = info;
  const { btfId, ...rest } = types;
  return { type, keySize, valueSize, maxEntries, flags, ...rest, btf: btfId === 0 ? null : digestOfBtf(btfId) };
}

/** SHA-256 of BTF objects by their id. */
const digests = new IdCache<string>(4096);

/** The SHA-256 of the BTF behind an fd; null if it is none. `bytes` are its bytes, if they were read already. */
export function digestOfBtfFd(fd: number, bytes: Uint8Array | null = null): string | null {
  const report = btfReport(fd);
  if (typeof report === "number") return null;
  const known = digests.get(report.id);
  if (known !== undefined) return known;
  // what another kind of object reports in these places is no id
  if (!isBtf(fd)) return null;
  const read = bytes ?? btfOf(fd);
  return read === null ? null : remember(report.id, read);
}

/** Whether an fd is a BTF object, by the name of its file (__btf_new_fd of kernel/bpf/btf.c). */
export function isBtf(fd: number): boolean {
  return readLink(`/proc/thread-self/fd/${fd}`) === "anon_inode:btf";
}

/** A text that is no digest if the BTF cannot be read. */
function digestOfBtf(id: number): string {
  const known = digests.get(id);
  if (known !== undefined) return known;
  const bytes = btfById(id);
  return bytes === null ? "BTF that cannot be read" : remember(id, bytes);
}

function remember(id: number, bytes: Uint8Array): string {
  const digest = sha256(bytes);
  digests.set(id, digest);
  return digest;
}
