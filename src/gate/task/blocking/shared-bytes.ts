/**
 * Copies the byte arrays in an operation's outcome to shared memory, because the outcome is sent to another thread at
 * each turn of the call: shared memory is sent without a copy. Returns the outcome with these arrays replaced. Every
 * thread that gets the outcome must call {@link countShared}.
 */
export function toShared(outcome: unknown): unknown {
  if (Array.isArray(outcome)) return outcome.map(toShared);
  if (!(outcome instanceof Uint8Array) || outcome.buffer instanceof SharedArrayBuffer) return outcome;
  const bytes = sharedRoomFor(outcome.byteLength);
  bytes.set(outcome);
  return bytes;
}

/** Allocates shared memory of `length` bytes, zeroed. Bytes that are read into it at once need no copy by toShared. */
export function sharedRoomFor(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/**
 * Makes garbage collections of this thread depend on the shared memory of outcomes, too. V8 does not count shared
 * memory in any thread (PerIsolateAccountingLength in src/objects/backing-store.h), so it would never start a
 * collection because of it; and the memory is freed only when every thread that had it has collected it. So this
 * function allocates ordinary memory, which V8 counts, and drops it without touching it. The next collection frees that
 * memory and the shared memory.
 */
export function countShared(outcome: unknown): void {
  uncounted += sharedBytesOf(outcome);
  if (WEIGHT * uncounted < ALLOCATED_AT) return;
  void new ArrayBuffer(WEIGHT * uncounted);
  uncounted = 0;
}

/**
 * The least size of an allocation in bytes. glibc maps blocks above 32 MiB separately, whatever was freed before
 * (DEFAULT_MMAP_THRESHOLD_MAX of malloc.c, mallopt(3)). The kernel gives such pages zeroed, so calloc does not touch
 * them, and pages that are never touched take no memory.
 */
const ALLOCATED_AT = 33 * 2 ** 20;
/**
 * Bytes allocated for each byte of shared memory. V8 starts a collection after 64 MiB of counted memory
 * (kExternalAllocationSoftLimit of src/common/globals.h), and thus after 16 MiB of shared memory: that bounds what the
 * thread that collects last still holds.
 */
const WEIGHT = 4;
/** Bytes of shared memory that this thread got and has not counted. */
let uncounted = 0;

function sharedBytesOf(outcome: unknown): number {
  if (Array.isArray(outcome)) return outcome.reduce<number>((sum, each) => sum + sharedBytesOf(each), 0);
  return outcome instanceof Uint8Array && outcome.buffer instanceof SharedArrayBuffer ? outcome.byteLength : 0;
}
