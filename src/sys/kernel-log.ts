import { ERRNO } from "../errno.js";
import { openIn } from "./file.js";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** The kernel refuses smaller buffers for a record (CONSOLE_EXT_LOG_MAX, PRINTK_MESSAGE_MAX of the kernel). */
const RECORD = 8 * 1024;
const AT_FDCWD = -100;
const EPIPE = 32;
/** Maximum size of what is read: the kernel can write while it is. */
const MOST = 32 * 1024 * 1024;
/** Actions of syslog(2). */
const [READ_ALL, SIZE_BUFFER] = [3, 10];

/**
 * What is in the kernel's log: records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg), or without that file the text
 * of syslog(2). It stays there. Returns a negative errno on failure.
 */
export function kernelLog(): Uint8Array | number {
  const records = logRecords();
  return typeof records === "number" ? logText() : records;
}

function logRecords(): Uint8Array | number {
  const fd = openIn(AT_FDCWD, "/dev/kmsg");
  if (fd < 0) return fd;
  const records: Uint8Array[] = [];
  const buffer = new Uint8Array(RECORD);
  let error = 0;
  for (let size = 0; error === 0 && size < MOST; ) {
    const length = syscall(NR.read, fd, buffer, buffer.byteLength);
    if (length > 0) records.push(buffer.slice(0, length));
    // EPIPE: the record was overwritten, and the next read has the one after it
    else if (length !== -EPIPE) error = length || -ERRNO.EAGAIN;
    size += Math.max(length, 1);
  }
  syscall(NR.close, fd);
  return error === -ERRNO.EAGAIN || error === 0 ? Buffer.concat(records) : error;
}

function logText(): Uint8Array | number {
  const size = syscall(NR.syslog, SIZE_BUFFER, null, 0);
  if (size < 0) return size;
  const text = new Uint8Array(size);
  const length = syscall(NR.syslog, READ_ALL, text, size);
  return length < 0 ? length : text.subarray(0, length);
}
