import { beforeEach, describe, expect, it } from "vitest";
import { HELPER_MEMORY, KFUNC_MEMORY } from "../../../src/bpf/tables/argument-memory.js";
import { HELPER_ROWS } from "../../../src/bpf/tables/helpers.js";
import { KFUNC_ARGUMENTS } from "../../../src/bpf/tables/kfunc-arguments.gen.js";
import { Guest } from "./guest.js";
import { debianKernel, kernelOfSuite } from "./kernel.js";
import { OUTCOMES } from "./marked-stack/filler.js";
import { FILLERS } from "./marked-stack/fillers.js";
import { claimsWritten, isMarked, listing } from "./marked-stack/findings.js";
import { CHECKS } from "./marked-stack/marked-programs.js";
import { type Trial, tryPrograms } from "./marked-stack/trial.js";
import { UNTRIED } from "./marked-stack/untried.js";
import { WAYS_OUT } from "./marked-stack/ways-out.js";

const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
/** The short form tries each call on one kernel, with one way out. */
const KERNELS = isNightly ? (["6.1", "6.12", "6.18", "7.3"] as const) : (["present"] as const);
const CHECKED = isNightly ? CHECKS : (["unchecked", "checked32"] as const);
const WAYS = isNightly ? WAYS_OUT.map(({ name }) => name) : ["map"];

describe("helpers and kfuncs that may write to memory", () => {
  const tried = new Set(FILLERS.map(({ name }) => name));
  const helpers = HELPER_ROWS.flatMap((row) => (row?.args.includes("w") ? [row.name] : []));
  const kfuncs = [...KFUNC_ARGUMENTS].flatMap(([name, args]) => (args.includes("w") ? [name] : []));
  const written = [HELPER_MEMORY, KFUNC_MEMORY].flatMap((table) =>
    [...table].flatMap(([name, rows]) => (rows.some(({ written }) => written !== "no") ? [name] : [])),
  );

  it("are tried, or there is a reason", () => {
    const all = [...new Set([...helpers, ...kfuncs, ...written])];
    expect(all.length).toBeGreaterThan(80);
    expect(all.filter((name) => tried.has(name) === UNTRIED.has(name))).toEqual([]);
  });

  it("have each outcome, or a reason why not", () => {
    for (const { name, outcomes } of FILLERS)
      for (const outcome of OUTCOMES) {
        const arranged = outcomes[outcome];
        expect((typeof arranged === "string" ? arranged : arranged.none).length, `${name} ${outcome}`).toBeGreaterThan(
          3,
        );
      }
  });
});

describe.each(KERNELS)("programs with a frame full of marker bytes, on kernel %s", (name) => {
  let found: Promise<Trial | string> | undefined;
  let trial: Trial;
  beforeEach(async (context) => {
    found ??= begin();
    const outcome = await found;
    if (typeof outcome === "string") return context.skip(outcome);
    trial = outcome;
  });

  async function begin(): Promise<Trial | string> {
    const missing = Guest.missing();
    if (missing !== null) return missing;
    const kernel = name === "present" ? debianKernel() : kernelOfSuite(name);
    return typeof kernel === "string" ? kernel : tryPrograms(kernel, CHECKED, WAYS);
  }

  it("are tried, every one", () => {
    expect(trial.status, trial.console.slice(-2000)).toBe(0);
    expect(trial.tried.filter(({ ran }) => ran.state === "failed").map(({ name, ran }) => ({ name, ran }))).toEqual([]);
    if (isNightly) console.log(listing(name, trial));
  });

  it("print marker bytes where nothing fills them, if the kernel lets them", () => {
    const bare = trial.tried.filter(({ filler, check }) => filler.name === "nothing" && check === "unchecked");
    const ran = bare.filter(({ ran }) => ran.state === "ran");
    expect(ran.filter((each) => !isMarked(each)).map(({ name }) => name)).toEqual([]);
    if (name !== "6.1") expect(ran.length).toBeGreaterThan(5);
  });

  it("have their calls fail and succeed as arranged", () => {
    const wrong = trial.tried.filter(({ ran, outcome, filler }) => {
      if (ran.state !== "ran" || filler.name.startsWith("bpf_dynptr_slice")) return false;
      const failed = BigInt.asIntN(32, ran.r0) < 0n;
      return failed !== (outcome === "fails") && outcome !== "writes_less";
    });
    expect(wrong.map(({ name, ran }) => [name, ran])).toEqual([]);
  });

  it("never print a marker byte without `reads_kernel_memory` in their effects", () => {
    const unseen = trial.tried.filter((each) => isMarked(each) && !each.reported);
    expect(unseen.map(({ name }) => name)).toEqual([]);
  });

  it("never print a byte that the tables say was written", () => {
    const wrong = trial.tried.filter((each) => isMarked(each) && claimsWritten(each));
    expect(wrong.map(({ name, ran }) => [name, ran])).toEqual([]);
  });
});
