import { isMemoryFile, openPlainPath, placeOf, readLink } from "../../../sys/file.js";
import { syscall } from "../../../sys/libc.js";
import { NR } from "../../../sys/numbers.js";

/** Where a file is: its path in the gate's mount namespace, or null for memory without a path (memfd_create(2)). */
export interface FilePath {
  readonly path: string | null;
}

/**
 * Finds the path of an open file of the gate. Returns null if the path that the kernel shows does not lead to this
 * file in the gate's own mount namespace: the file was opened in another one, where anything can be mounted at any
 * path, or its name was deleted. The mount id is compared too, since a file system can be mounted in both namespaces.
 */
export function findPath(fd: number): FilePath | null {
  const shown = readLink(`/proc/self/fd/${fd}`);
  if (shown === null) return null;
  if (shown.startsWith("/memfd:") && isMemoryFile(fd)) return { path: null };
  if (!shown.startsWith("/")) return null;
  const there = openPlainPath(shown);
  if (there < 0) return null;
  const place = placeOf(fd);
  const isThere = place !== null && placeOf(there) === place;
  syscall(NR.close, there);
  return isThere ? { path: shown } : null;
}
