import { ERRNO } from "../../errno.js";
import type { IdKind } from "../../sys/bpf.js";
import { btfById } from "../../sys/btf.js";
import { readSmall } from "../../sys/file.js";
import type { Raw, Reads } from "./reads.js";

/** The beginning of the names of an object's results. */
export function objectName(kind: IdKind, id: number): string {
  return `@bpf/${kind}/${id}`;
}

/** What the kernel tells of a descriptor of this thread: it is `fdinfo` of proc(5). */
export function fdinfoOf(fd: number): Raw {
  const text = readSmall(`/proc/thread-self/fdinfo/${fd}`);
  return text === null ? -ERRNO.ENOENT : Buffer.from(text);
}

/** The bytes of a BTF object. */
export function btfRead(reads: Reads, id: number): Raw {
  return reads.bytes(`${objectName("btf", id)}/bytes`, () => btfById(id) ?? -ERRNO.ENOENT);
}
