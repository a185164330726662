import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { type Attack, isStopped } from "../../../src/seal/attacks/attack.js";
import { ATTACKS } from "../../../src/seal/attacks/attacks.js";
import { guardReason } from "../../../src/seal/status/reasons.js";
import { own } from "../../support/workplace.js";
import { type AttackResults, MACHINES, type Machine, runAttacks, UNMOUNTING } from "./guests/attack-runs.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { ATTACKED, testedKernels } from "./guests/tested-kernels.js";

/** Where COUNTERSIGN_RECORD_ATTACKS=1 writes how the attacks ended, for the table of docs/seal-attacks.md. */
const RECORD = own("scripts/attacks.gen.json");
const isRecording = process.env.COUNTERSIGN_RECORD_ATTACKS !== undefined;
const KERNELS = testedKernels(isRecording || process.env.COUNTERSIGN_NIGHTLY !== undefined, ATTACKED);
/** All attacks, or those in COUNTERSIGN_ATTACKS, separated by spaces. */
const CHOSEN = process.env.COUNTERSIGN_ATTACKS?.split(" ");
const TRIED = ATTACKS.filter(({ name, proof }) => proof !== null && (CHOSEN?.includes(name) ?? true));
/** Without the one that audits, if no chosen attack is proved on it. */
const USED = MACHINES.filter((machine) => machine !== "audit" || TRIED.some(({ proof }) => proof === "audit"));
/** The short form seals against all attacks, and leaves out those proofs of which each takes a guest for itself. */
const isShort = process.env.COUNTERSIGN_NIGHTLY === undefined && !isRecording && CHOSEN === undefined;
const isLeftOut = (machine: Machine, name: string) => isShort && machine === "audit" && UNMOUNTING.includes(name);
describe.each(KERNELS)("attacks on %s", (kernel) => {
  const runs = new Map<Machine, AttackResults | string>();
  const isSince = (other: string | undefined) => ATTACKED.indexOf(kernel) >= ATTACKED.indexOf(other as SealKernel);
  const isHere = ({ on }: Attack) => on === undefined || kernel.endsWith(`-${on}`);
  const isPossible = ({ since, until }: Attack) => isSince(since) && (until === undefined || !isSince(until));
  const on = (machine: Machine, { name }: Attack) => {
    const run = runs.get(machine)!;
    return typeof run === "string" ? run : run.get(name);
  };

  it.for(USED)("are all run on a machine that is %s", { timeout: 900_000 }, (machine, { skip }) => {
    const names = TRIED.map(({ name }) => name).filter((name) => !isLeftOut(machine, name));
    const results = runAttacks(kernel, machine, names);
    runs.set(machine, results);
    if (typeof results === "string") return skip(results);
    expect([...results.keys()].toSorted()).toEqual(names.toSorted());
  });

  it.for(TRIED)("$name: succeeds where the guard does not deny it", (attack, { skip }) => {
    const machine = attack.proof === "audit" ? "audit" : "unguarded";
    if (!isHere(attack)) return skip(`needs a ${attack.on} kernel`);
    if (isLeftOut(machine, attack.name)) return skip("its proof takes a guest of its own: nightly");
    const result = on(machine, attack);
    if (typeof result === "string") return skip(result);
    if (!isPossible(attack)) return skip("this kernel does not allow it anyway");
    expect(result).toMatchObject({ outcome: "broken" });
  });

  it.for(TRIED)("$name: ends on sealed machines as its row says", (attack, { skip }) => {
    if (!isHere(attack)) return skip(`needs a ${attack.on} kernel`);
    const [boot, late] = [on("boot", attack), on("late", attack)];
    if (typeof boot === "string" || typeof late === "string") return skip(String(boot));
    // at boot the pins are elsewhere than late, and not every attack on them is possible
    const ended = [boot!, late!].filter(({ outcome }) => outcome !== "skipped");
    expect(ended).not.toEqual([]);
    expect(new Set(ended.map(({ outcome }) => outcome))).toEqual(new Set([isStopped(attack) ? "held" : "broken"]));
    if (attack.reason === null || !isPossible(attack)) return;
    expect(ended.flatMap(({ reasons }) => reasons.map((number) => guardReason(number).name))).toContain(attack.reason);
  });

  afterAll(() => {
    if (!isRecording || [...runs.values()].some((run) => typeof run === "string")) return;
    const recorded = existsSync(RECORD) ? JSON.parse(readFileSync(RECORD, "utf8")) : {};
    const results = { ...recorded[kernel] };
    for (const attack of TRIED)
      results[attack.name] = ([attack.proof!, "boot", "late"] as const).map((machine) =>
        outcomeOf(on(machine, attack)),
      );
    const isTried = (name: string) => ATTACKS.some((attack) => attack.name === name && attack.proof !== null);
    recorded[kernel] = Object.fromEntries(Object.entries(results).filter(([name]) => isTried(name)));
    const sorted = Object.fromEntries(ATTACKED.flatMap((each) => (recorded[each] ? [[each, recorded[each]]] : [])));
    writeFileSync(RECORD, `${JSON.stringify(sorted, null, 2)}\n`);
  });
});

function outcomeOf(result: ReturnType<AttackResults["get"]> | string): string {
  return typeof result === "object" ? result.outcome : "skipped";
}
