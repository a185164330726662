import { describe, expect, it } from "vitest";
import { describedPrograms, entryOf, plainEntry, withLoads } from "./guard/described-programs.js";
import { Loads } from "./guard/sealed-loads.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { testedKernels } from "./guests/tested-kernels.js";

/** What each case of guard/loads.c comes to: `loaded`, or why the guard denies it with EPERM. */
const EXPECTED: Readonly<Record<string, string>> = {
  listed: "loaded",
  instruction: "unlisted",
  "program type": "unlisted",
  "program flags": "unlisted",
  licence: "unlisted",
  core_relos: "core_relos",
  "offset into a map": "maps",
  "one map for two": "maps",
  "one map by two fds": "maps",
  "map type": "maps",
  "value size": "maps",
  "maximum of entries": "maps",
  "map flags": "maps",
  "contents that are not frozen": "maps",
  "contents that programs may write": "maps",
  "with a thread": "loaded",
  "alternative, small": "loaded",
  "alternative, large": "loaded",
  "alternative, of another program": "maps",
  "alternative, neither": "maps",
  "reference in dead code": "loaded",
  // which reference the verifier removed is not known, and another thread could have changed the fds
  "reference in dead code, with a thread": "maps",
  indexes: "loaded",
  "inner map": "loaded",
  "inner map of another size": "maps",
  "many references": "loaded",
  "many references, with a thread": "loaded",
  "many references, the last one to another map": "maps",
  "variable of a module": "unlisted",
  "attach type": "loaded",
  "another attach type": "unlisted",
  "attach target": "loaded",
  "another attach target": "unlisted",
  "fmod_ret elsewhere": "loaded",
  "lsm elsewhere": "loaded",
  "lsm_cgroup elsewhere": "loaded",
  sysctl: "loaded",
  "sysctl that sets the return value": "never",
  "map of its own": "loaded",
  "map of the guard": "own_object",
  "listed program, from BPF": "loaded",
  "another program, from BPF": "unlisted",
};
/** The kernel rejects what it does not know before it asks the guard: E2BIG. */
const SINCE_6_14 = { "indexes with fd_array_cnt": "maps" } as const;
const LENGTHS = Array.from({ length: 39 }, (_, index) => index + 2);
const OPEN = [4, 5, 6, 7, 60, 61, 62, 63, 64, 65, 66, 67];

interface Boots {
  readonly open: Loads;
  readonly sealed: Loads;
}

const booted = new Map<SealKernel, Boots | string>();

/** What the cases come to in a guest without a guard, and in one that is sealed with a list of their programs. */
function boots(kernel: SealKernel): Boots | string {
  const known = booted.get(kernel);
  if (known !== undefined) return known;
  const found = withLoads((loads) => {
    const programs = describedPrograms(loads);
    const targets = programs.flatMap(({ target }) => target ?? []);
    const open = Loads.run(kernel, loads, `loads ids ${targets.join(" ")}; loads race`);
    if (typeof open === "string") return open;
    const entries = [
      ...programs.map((program) => entryOf(program, open.ids)),
      ...[...LENGTHS, 100_000].map((count) => plainEntry(count)),
    ];
    const script = "loader --log /lib/guard.image && loads run && loads race";
    const sealed = Loads.run(kernel, loads, script, { entries });
    return typeof sealed === "string" ? sealed : { open, sealed };
  });
  booted.set(kernel, found);
  return found;
}

describe.for(testedKernels())("the guard on %s", (kernel) => {
  it("denies each property of a listed program that is changed by itself", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    const expected = kernel === "6.12" ? EXPECTED : { ...EXPECTED, ...SINCE_6_14 };
    const outcomes = found.sealed.outcomes;
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, outcomes.get(name)]))).toEqual(expected);
  });

  it("denies each byte of read-only contents that is changed, except those of settings", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    expect(found.sealed.outcomes.get("open bytes")).toBe(OPEN.join(" "));
  });

  it("lets tasks load at the same time", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    expect(found.sealed.outcomes.get("failed of 400 parallel loads")).toBe("0");
  });

  it("computes the digest of this project for programs of each length", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    expect(found.sealed.outcomes.get("loaded lengths")).toBe(LENGTHS.join(" "));
    expect([
      found.sealed.outcomes.get("99,999 instructions"),
      found.sealed.outcomes.get("100,000 instructions"),
    ]).toEqual(["unlisted", "loaded"]);
  });

  it.for(["indexed", "named"])(
    "denies a program of which a thread exchanges maps during the load: %s",
    (kind, { skip }) => {
      const found = boots(kernel);
      if (typeof found === "string") return skip(found);
      const [open, sealed] = [found.open, found.sealed].map(({ output }) => {
        const [, right, wrong, failed] = new RegExp(
          `^race of ${kind}: right (\\d+), wrong (\\d+), failed (\\d+)$`,
          "m",
        ).exec(output)!;
        return { right: Number(right), wrong: Number(wrong), failed: Number(failed) };
      });
      expect(open!.wrong).toBeGreaterThan(0);
      expect(sealed!.wrong).toBe(0);
      expect(sealed!.right).toBeGreaterThan(0);
      expect(sealed!.failed).toBeGreaterThan(0);
    },
  );
});
