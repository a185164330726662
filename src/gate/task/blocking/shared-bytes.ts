/**
 * Moves the bytes of an operation's outcome to shared memory, because the outcome is sent to another thread at each
 * turn of the call. Every thread that gets the outcome must call {@link countShared}.
 */
export function toShared(outcome: unknown): unknown {
  if (Array.isArray(outcome)) return outcome.map(toShared);
  if (!(outcome instanceof Uint8Array) || outcome.buffer instanceof SharedArrayBuffer) return outcome;
  const bytes = sharedRoomFor(outcome.byteLength);
  bytes.set(outcome);
  return bytes;
}

/** Allocates shared memory, so that what is read into it need not be copied. */
export function sharedRoomFor(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/**
 * Lets V8 know of an outcome's shared memory. V8 counts shared memory towards no isolate (PerIsolateAccountingLength in
 * src/objects/backing-store.h), so it would never start a garbage collection for it, and shared memory is freed only
 * when every thread that had it has collected it. This allocates memory that is counted, drops it at once and never
 * touches it: V8 then collects both.
 */
export function countShared(outcome: unknown): void {
  uncounted += sharedBytesOf(outcome);
  if (WEIGHT * uncounted < ALLOCATED_AT) return;
  void new ArrayBuffer(WEIGHT * uncounted);
  uncounted = 0;
}

/**
 * glibc maps larger blocks of memory separately whatever was freed before (DEFAULT_MMAP_THRESHOLD_MAX of malloc.c,
 * mallopt(3)), so that calloc need not clear them, and pages that nobody touches take no memory.
 */
const ALLOCATED_AT = 33 * 2 ** 20;
/**
 * Bytes allocated for each byte of shared memory: V8 starts a collection after 64 MiB (kExternalAllocationSoftLimit of
 * src/common/globals.h), and each thread keeps what the slowest has not collected.
 */
const WEIGHT = 4;
/** Bytes of shared memory that this thread got and has not counted. */
let uncounted = 0;

function sharedBytesOf(outcome: unknown): number {
  if (Array.isArray(outcome)) return outcome.reduce<number>((sum, each) => sum + sharedBytesOf(each), 0);
  return outcome instanceof Uint8Array && outcome.buffer instanceof SharedArrayBuffer ? outcome.byteLength : 0;
}
