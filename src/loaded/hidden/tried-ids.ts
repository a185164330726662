import { ERRNO } from "../../errno.js";
import { openObject } from "../../sys/bpf.js";
import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import type { ObjectName } from "../model/references.js";
import type { Reads } from "../reads/reads.js";
import { invalidArchive } from "../reads/saved-error.js";
import { numbersRead } from "../reads/values.js";

/** How much is tried. */
export interface TrialLimits {
  readonly ids: number;
  readonly milliseconds: number;
}

export type Patience = "usual" | "deep";

/** How much is tried for each kind. */
export const TRIALS: Readonly<Record<Patience, TrialLimits>> = {
  usual: { ids: 1_000_000, milliseconds: 5_000 },
  deep: { ids: Number.POSITIVE_INFINITY, milliseconds: Number.POSITIVE_INFINITY },
};

/** The ids that BPF_*_GET_FD_BY_ID knows. */
export interface TriedIds {
  readonly ids: ReadonlySet<number>;
  /** All ids up to this one were not tried; 0 if all were. */
  readonly untried: number;
}

/** Is told now and then how many ids of a kind were tried, and how many there are. */
export type TellTried = (kind: ObjectName["kind"], tried: number, of: number) => void;

/** Number of tries between two looks at the clock. */
const SLICE = 4096;

/** Tries each id from the highest down to 1, as long as the limits allow. An object that may not be opened exists. */
export function triedIds(
  reads: Reads,
  kind: ObjectName["kind"],
  highest: number,
  limits: TrialLimits,
  tell: TellTried,
): TriedIds {
  const name = `@bpf/${kind}/tried`;
  const numbers = numbersRead(reads, name, () => {
    const found: number[] = [];
    const until = performance.now() + limits.milliseconds;
    let [id, left] = [highest, limits.ids];
    for (; id > 0 && left > 0; id--, left--) {
      if (exists(kind, id)) found.push(id);
      if (id % SLICE !== 0) continue;
      tell(kind, highest - id + 1, highest);
      if (performance.now() > until) break;
    }
    return [id, ...found];
  });
  if (typeof numbers === "number") return { ids: new Set(), untried: highest };
  if (numbers.length === 0) throw invalidArchive("is no list of ids", name);
  return { ids: new Set(numbers.slice(1)), untried: numbers[0]! };
}

/** Tries only these ids. */
export function triedAgain(reads: Reads, kind: ObjectName["kind"], ids: Iterable<number>): ReadonlySet<number> {
  const found = numbersRead(reads, `@bpf/${kind}/tried`, () => [...ids].filter((id) => exists(kind, id)));
  return new Set(typeof found === "number" ? [] : found);
}

function exists(kind: ObjectName["kind"], id: number): boolean {
  const fd = openObject(kind, id);
  if (fd >= 0) syscall(NR.close, fd);
  return fd !== -ERRNO.ENOENT;
}
