import { LruCache } from "../../lru-cache.js";
import { type Attr, CREATE, LOAD } from "./attr.js";

/** An attempt to load a program or to create a map. */
export interface Attempt {
  /** Equal for attempts to load the same program or to create the same map. */
  readonly what: string;
  /**
   * A retry has a higher rank than the attempt before it: it asks for a log, for a larger log, or for a map without
   * BTF.
   */
  readonly rank: number;
}

/** Task groups whose last denied attempt is remembered. */
const MAX_GROUPS = 256;

/**
 * Recognizes the retries of loaders. libbpf, cilium/ebpf and bcc repeat a failed load with a buffer for the verifier's
 * log, and again with a larger one (bpf_object_load_prog of libbpf). libbpf repeats a failed map creation without BTF
 * (bpf_object__create_map). The gate denies these retries, too, and they belong to the same operation. A retry directly
 * follows the attempt that it repeats: the same task group makes no other load and no other map in between.
 */
export class Retries {
  /**
   * The last attempt of each task group (in the gate's pid namespace), if it was denied; the most recent is last. Keyed
   * by task group, since a loader may retry in another thread.
   */
  readonly #denied = new LruCache<number, { readonly attempt: Attempt; readonly operation: string }>(MAX_GROUPS);

  /**
   * Returns the operation that an attempt retries, or null. Call it for every attempt: a different one ends the series.
   */
  operationOf(tgid: number, made: () => Attempt): string | null {
    const last = this.#denied.peek(tgid);
    if (last === undefined) return null;
    const attempt = made();
    if (last.attempt.what === attempt.what && attempt.rank > last.attempt.rank) return last.operation;
    this.#denied.delete(tgid);
    return null;
  }

  /** Records that the attempt was denied. `operation` is that of the first attempt of the series. */
  denied(tgid: number, attempt: Attempt, operation: string): void {
    this.#denied.set(tgid, { attempt, operation });
  }
}

/** The attempt of a BPF_PROG_LOAD. `digest` is the digest of its instructions. */
export function loadAttempt(given: Attr, digest: string): Attempt {
  const rank = given.u32(LOAD.logLevel) === 0 ? 0 : 1 + given.u32(LOAD.logSize);
  return { what: `load ${given.u32(LOAD.progType)} ${given.name(LOAD.progName)} ${digest}`, rank };
}

/** The attempt of a BPF_MAP_CREATE. Its BTF fields are ignored, since a retry omits them. */
export function createAttempt(given: Attr): Attempt {
  const bytes = given.bytes.slice();
  const typed = given.u32(CREATE.btfKeyTypeId) !== 0 || given.u32(CREATE.btfValueTypeId) !== 0;
  bytes.fill(0, CREATE.btfFd, CREATE.btfValueTypeId + 4);
  return { what: `create ${Buffer.from(bytes).toString("latin1")}`, rank: typed ? 0 : 1 };
}
