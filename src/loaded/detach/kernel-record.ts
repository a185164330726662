import { closeSync, openSync, writeSync } from "node:fs";
import { oneLine } from "../../error.js";
import { notDetached } from "./not-detached.js";

/** LOG_USER | LOG_NOTICE of syslog(3). */
const PRIORITY = 13;
/** LOG_LINE_MAX of kernel/printk/printk.c is about this many bytes. */
const LONGEST = 900;

/**
 * Writes a line to the kernel's log, which journald has too. Throws SCAN_NOT_DETACHED if that is not possible: nothing
 * is removed without a record.
 */
export function recordInKernelLog(text: string): void {
  const line = Buffer.from(`<${PRIORITY}>countersign: ${oneLine(text)}`).subarray(0, LONGEST);
  // without a line break, the kernel keeps the record back until the next one, which could continue it
  const record = Buffer.concat([line, Buffer.from("\n")]);
  try {
    const log = openSync("/dev/kmsg", "w");
    try {
      writeSync(log, record);
    } finally {
      closeSync(log);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw notDetached(`it cannot be recorded in /dev/kmsg: ${code}`, "run it where the kernel's log can be written");
  }
}
