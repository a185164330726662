import type { InputsDecisionRecord } from "../../log/input-records.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { Damage, ReadLine, RecordReader } from "../../log/record-reader.js";
import { type SeenProgram, seenProgram } from "./seen-program.js";
import { type VaryingProgram, VaryingPrograms } from "./varying-programs.js";

/** Number of loads that are not learnt, by the reason. */
export interface LeftOut {
  /** Loads that were denied; `--include-denied` learns them. */
  readonly denied: number;
  /** Feature probes of loaders, which the gate allows without asking policies. */
  readonly probes: number;
  /** Loads of which the log does not have enough, by what is missing. */
  readonly unusable: Readonly<Record<string, number>>;
}

/** What is wrong with records that count for nothing: they repeat a decision, or are about another subject. */
const UNUSED: ReadonlySet<Damage | null> = new Set<Damage>(["duplicate-id", "contradiction"]);

interface Group {
  readonly program: SeenProgram;
  /** Loads that were not denied themselves, by their operation; null for those without one. */
  readonly operations: Map<string | null, number>;
  denied: number;
}

/** Collects the programs that a log says were loaded. */
export class Learner {
  readonly #groups = new Map<string, Group>();
  /** Operations of which some decision was denied: the kernel then loaded nothing. */
  readonly #denied = new Set<string>();
  readonly #varying = new VaryingPrograms();
  readonly #unusable = new Map<string, number>();
  #probes = 0;
  /** Denials without facts: no option learns them. */
  #deniedByGate = 0;

  /** `label`: the key of the label by which tasks are told apart; null for all tasks together. */
  constructor(
    private readonly reader: RecordReader,
    private readonly label: string | null,
  ) {}

  /** Takes a line that `reader` has read. Does not throw. */
  add(line: ReadLine): void {
    const { inputs } = line;
    const decision = (inputs ?? line.record) as InputsDecisionRecord | ReadRecord | null;
    if (decision?.type !== "decision") return;
    const { verdict, operation = null } = decision;
    const isDenied = typeof verdict === "number" && verdict < 0;
    if (isDenied && typeof operation === "string") this.#denied.add(operation);
    if (decision.hook !== "bpf_prog_load" || UNUSED.has(line.damage) || isCanary(decision)) return;
    if (decision.loader_probe !== undefined) this.#probes += 1;
    else if (inputs === null) this.#leaveOut("the record has `log.level: decision`");
    else if (typeof verdict !== "number") this.#leaveOut("the verdict is not in the log");
    else this.#addLoad(inputs, isDenied);
  }

  /** The programs that were loaded; with `denied` also those whose load was denied. In no order. */
  programs(denied: boolean): readonly SeenProgram[] {
    return [...this.#groups.values()]
      .filter((group) => denied || this.#loadsOf(group) > 0)
      .map(({ program }) => program);
  }

  /** Number of loads of {@link programs}. */
  loads(denied: boolean): number {
    return [...this.#groups.values()].reduce((sum, group) => sum + (denied ? allOf(group) : this.#loadsOf(group)), 0);
  }

  get leftOut(): LeftOut {
    const unusable = [...this.#unusable].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      denied: [...this.#groups.values()].reduce(
        (sum, group) => sum + allOf(group) - this.#loadsOf(group),
        this.#deniedByGate,
      ),
      probes: this.#probes,
      unusable: Object.fromEntries(unusable),
    };
  }

  /** See {@link VaryingPrograms.found}. */
  varying(digests: ReadonlySet<string>): readonly VaryingProgram[] {
    return this.#varying.found(digests);
  }

  #addLoad(inputs: InputsDecisionRecord, isDenied: boolean): void {
    const { operation = null, current, subject } = inputs;
    if (typeof subject === "object" && subject !== null && !("definition" in subject)) {
      if (isDenied) this.#deniedByGate += 1;
      else this.#leaveOut("the gate itself denies it when it enforces, and computed no facts");
      return;
    }
    const program = seenProgram(inputs, this.reader, this.label);
    if (typeof program === "string") {
      this.#leaveOut(program);
      return;
    }
    const key = JSON.stringify(program);
    const group = this.#groups.get(key) ?? { program, operations: new Map(), denied: 0 };
    this.#groups.set(key, group);
    if (isDenied) group.denied += 1;
    else group.operations.set(operation, (group.operations.get(operation) ?? 0) + 1);
    const pid: unknown = current?.pid;
    if (typeof pid === "number") this.#varying.add(program, pid);
  }

  #leaveOut(because: string): void {
    this.#unusable.set(because, (this.#unusable.get(because) ?? 0) + 1);
  }

  /** Number of loads of which no decision was denied. */
  #loadsOf({ operations }: Group): number {
    let sum = 0;
    for (const [operation, count] of operations) if (operation === null || !this.#denied.has(operation)) sum += count;
    return sum;
  }
}

/** Whether it is of the program by which a guard is tested: `seal log` has it, and it needs no rule. */
function isCanary({ origin, denied_by: by }: ReadRecord): boolean {
  return origin === "guard" && by?.rule === "canary";
}

function allOf({ operations, denied }: Group): number {
  let sum = denied;
  for (const count of operations.values()) sum += count;
  return sum;
}
