import { setTimeout as sleep } from "node:timers/promises";
import { errorName } from "../../errno.js";
import type { Identification } from "../identify/identify.js";
import type { LoadAgain, LoadedAgain } from "./load.js";
import { LoaderProcess } from "./loader-process.js";
import { type PlannedLoad, plannedLoads, type Question } from "./planned-loads.js";
import { ReleasePace } from "./release-pace.js";
import { relationOf } from "./translation.js";

/** A loaded program that is known by its tag, and what it was translated to. */
export interface VerifiedProgram extends Question {
  /** struct bpf_insn[] as the kernel shows it. */
  readonly translated: Uint8Array;
}

/** What was found out, by the id of each program. */
export interface Verification {
  /** Null for a program that none of the known ones is, since the kernel translates them otherwise. */
  readonly identified: ReadonlyMap<number, Identification | null>;
  /** Why a program is not identified by its translated instructions, as a clause. */
  readonly reasons: ReadonlyMap<number, string>;
}

/** Asked with the number of loads before the first one; throws if they are not wanted. */
export type Approve = (loads: number, programs: number) => void;

/** Milliseconds for all loads together. */
const TIME = 60_000;

/**
 * Loads known programs again, one at a time, and compares what the kernel makes of them with the loaded ones. They get
 * the maps of the loaded program, whose ids are in the instructions; none is created. Throws what `approve` throws.
 */
export async function verifyPrograms(programs: readonly VerifiedProgram[], approve: Approve): Promise<Verification> {
  const planned = programs.map((program) => ({ program, plan: plannedLoads(program) }));
  const needed = planned.filter(({ plan }) => plan.loads.length > 0);
  const loads = needed.reduce((sum, { plan }) => sum + plan.loads.length, 0);
  if (loads > 0) approve(loads, needed.length);
  const identified = new Map<number, Identification | null>();
  const reasons = new Map<number, string>();
  const loader = new PacedLoader(performance.now() + TIME);
  try {
    for (const { program, plan } of planned) {
      const { id } = program.report;
      const answer = await answerTo(program, plan.loads, loader);
      const why = [...answer.reasons, ...plan.obstacles];
      const left = program.candidates.filter((candidate) => !answer.others.has(candidate));
      if (answer.same.length > 0) identified.set(id, { by: "translated", programs: answer.same });
      else {
        identified.set(id, left.length === 0 ? null : { by: "tag", programs: left });
        reasons.set(id, why[0] ?? "the kernel translates the known programs with its tag otherwise");
      }
    }
  } finally {
    await loader.close();
  }
  return { identified, reasons };
}

/** The candidates that are translated to the same, those that are not, and why the rest are not known. */
async function answerTo({ translated }: VerifiedProgram, loads: readonly PlannedLoad[], loader: PacedLoader) {
  const same: PlannedLoad["candidates"][number][] = [];
  const others = new Set<PlannedLoad["candidates"][number]>();
  const reasons: string[] = [];
  for (const { load, candidates } of loads) {
    const found = await loader.load(load);
    if (typeof found === "string") reasons.push(found);
    else {
      const relation = relationOf(translated, found);
      if (relation === "same") same.push(...candidates);
      else if (relation === "other") for (const candidate of candidates) others.add(candidate);
      else reasons.push("each load has another address of the kernel in its instructions");
    }
  }
  return { same, others, reasons };
}

/** Loads one after the other, not more often than the kernel can release them, until the time is over. */
class PacedLoader {
  readonly #process = new LoaderProcess();
  readonly #pace = new ReleasePace();
  /** What programs without maps and BTF are translated to. */
  readonly #known = new Map<string, Uint8Array>();

  constructor(private readonly until: number) {}

  /** What it is translated to, or why that is not known, as a clause. */
  async load(load: LoadAgain): Promise<Uint8Array | string> {
    const key = keyOf(load);
    const known = key === null ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const wait = this.#pace.wait(performance.now());
    if (performance.now() + wait >= this.until)
      return `no time was left: all loads together take ${TIME / 1000} s at most`;
    if (wait > 0) await sleep(wait);
    const answer = await this.#process.load(load, this.until);
    this.#pace.add(performance.now());
    const found = foundIn(answer);
    if (key !== null && typeof found !== "string") this.#known.set(key, found);
    return found;
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}

function foundIn(answer: LoadedAgain | null): Uint8Array | string {
  if (answer === null) return "the kernel took more than 1 s to verify the known program";
  const { translated, failed } = answer;
  return typeof translated === "number" ? `the kernel did not ${failed} again (${errorName(-translated)})` : translated;
}

/** Null if what it is translated to depends on other objects of the kernel. */
function keyOf({ references, functions, insns, type, attachType, flags, license }: LoadAgain): string | null {
  if (references.length > 0 || functions !== null) return null;
  return `${type} ${attachType} ${flags} ${license} ${Buffer.from(insns).toString("latin1")}`;
}
