import { closeSync, constants, openSync, readSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import type { Raw } from "../reads/reads.js";
import { fileResult } from "../reads/values.js";

/** The kernel refuses smaller buffers for a record (PRINTK_MESSAGE_MAX of the kernel). */
const RECORD = 8 * 1024;
/** Maximum number of records: the kernel can write while they are read. */
const MOST = 1_000_000;
const EPIPE = 32;

/**
 * The records in the kernel's log, as /dev/kmsg has them (Documentation/ABI/testing/dev-kmsg). They stay there. Returns
 * a negative errno on failure.
 */
export function kernelLog(): Raw {
  return fileResult(() => {
    const file = openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return Buffer.concat([...recordsOf(file)]);
    } finally {
      closeSync(file);
    }
  });
}

function* recordsOf(file: number): Generator<Uint8Array> {
  for (let count = 0; count < MOST; count += 1) {
    const record = recordOf(file);
    if (record === -ERRNO.EAGAIN) return;
    // the record was overwritten: the next read has the one after it
    if (typeof record !== "number") yield record;
  }
}

function recordOf(file: number): Raw {
  const record = fileResult(() => {
    const buffer = Buffer.alloc(RECORD);
    return buffer.subarray(0, readSync(file, buffer));
  });
  if (record === -EPIPE || record === -ERRNO.EAGAIN || typeof record !== "number") return record;
  throw Object.assign(new Error("/dev/kmsg cannot be read"), { errno: record });
}
