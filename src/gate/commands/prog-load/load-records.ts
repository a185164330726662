import { ERRNO } from "../../../errno.js";
import { type Attr, LOAD } from "../../call/attr.js";
import { denyTooLarge, failWith } from "../../call/failure.js";
import type { Task } from "../../task/task.js";

/** The arrays of records that a BPF_PROG_LOAD points to, and the fields of attr that describe them. */
export const RECORDS = {
  funcInfo: { pointer: LOAD.funcInfo, count: LOAD.funcInfoCount, size: LOAD.funcInfoRecordSize },
  lineInfo: { pointer: LOAD.lineInfo, count: LOAD.lineInfoCount, size: LOAD.lineInfoRecordSize },
  coreRelos: { pointer: LOAD.coreRelos, count: LOAD.coreReloCount, size: LOAD.coreReloRecordSize },
} as const;

export type RecordKind = keyof typeof RECORDS;

/** MAX_FUNCINFO_REC_SIZE, MAX_LINEINFO_REC_SIZE and MAX_CORE_RELO_SIZE of the kernel (kernel/bpf/verifier.c). */
const RECORD_LIMIT = 252;
/**
 * The gate's own limit: total size in bytes of all records of one kind. It is enough for one record of 16 bytes for
 * each instruction.
 */
const TOTAL_LIMIT = 16 * 1024 * 1024;

/** Whether a load has func_info or line_info. Every kernel reads the load's BTF then, and its core_relos too. */
export function hasDebugInfo(given: Attr): boolean {
  return given.u32(LOAD.funcInfoCount) !== 0 || given.u32(LOAD.lineInfoCount) !== 0;
}

/** Copies the records of one kind; empty if there are none. Throws a CallFailure if they cannot be read. */
export function copyRecords(task: Task, given: Attr, kind: RecordKind): Uint8Array {
  const { pointer, count, size } = RECORDS[kind];
  const records = given.u32(count);
  const recordSize = given.u32(size);
  if (records === 0) return NONE;
  if (recordSize === 0 || recordSize > RECORD_LIMIT) failWith(ERRNO.EINVAL);
  if (records * recordSize > TOTAL_LIMIT) denyTooLarge(`${records * recordSize} bytes of ${kind}`, TOTAL_LIMIT);
  return task.read(given.u64(pointer), records * recordSize) ?? failWith(ERRNO.EFAULT);
}

const NONE = new Uint8Array(0);
