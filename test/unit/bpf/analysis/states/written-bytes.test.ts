import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Work } from "../../../../../src/bpf/analysis/states/work.js";
import { WrittenBytes } from "../../../../../src/bpf/analysis/states/written-bytes.js";
import { helperTag, SIGN } from "../../../../../src/bpf/analysis/values/call-tags.js";

const PLACES = 96;
const CALLS = [1, 2, 3];
const SIGNS = [SIGN.NEGATIVE, SIGN.ZERO, SIGN.POSITIVE];

const act = fc.record({
  kind: fc.constantFrom("write", "write if", "write if", "unwrite", "forget"),
  place: fc.integer({ min: 0, max: PLACES - 8 }),
  size: fc.integer({ min: 1, max: 8 }),
  call: fc.constantFrom(...CALLS),
  signs: fc.integer({ min: 1, max: SIGN.ANY - 1 }),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

function follow(written: WrittenBytes, acts: readonly Act[]): number {
  written.load(0);
  for (const { kind, place, size, call, signs } of acts)
    if (kind === "write") written.write(place, size);
    else if (kind === "write if") written.writeIf(call, place, size, signs);
    else if (kind === "unwrite") written.unwrite(place, size);
    else written.forget(call);
  return written.store();
}

/** The places that are written if the results of calls have these signs. */
function writtenIf(written: WrittenBytes, set: number, signs: readonly number[]): readonly boolean[] {
  written.load(set);
  for (const [index, call] of CALLS.entries()) written.resultHas(helperTag(call), signs[index]!);
  const places = Array.from({ length: PLACES }, (_, place) => written.missing(place, 1) < 0);
  written.load(set);
  return places;
}

const CASES = SIGNS.flatMap((a) => SIGNS.flatMap((b) => SIGNS.map((c) => [a, b, c])));

describe("written bytes", () => {
  it("are where two paths meet, whatever calls return, those that both wrote, and no others", {
    tags: ["deep"],
  }, () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 8 }), fc.array(act, { maxLength: 8 }), (left, right) => {
        const written = new WrittenBytes(new Work(1));
        const [a, b] = [follow(written, left), follow(written, right)];
        const joined = written.join(a, b);
        expect(written.join(joined, b)).toBe(joined);
        const plain = [...left, ...right].every(({ kind }) => kind !== "write if");
        for (const signs of CASES) {
          const [ofA, ofB] = [writtenIf(written, a, signs), writtenIf(written, b, signs)];
          for (const [place, found] of writtenIf(written, joined, signs).entries()) {
            if (found && !(ofA[place] && ofB[place])) return false;
            if (plain && !found && ofA[place] && ofB[place]) return false;
          }
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });

  it("are the same set if the same bytes are written", () => {
    const written = new WrittenBytes(new Work(1));
    const step = { call: 1, signs: 1, kind: "write" } as const;
    const first = follow(written, [{ ...step, place: 0, size: 8 }]);
    const second = follow(written, [
      { ...step, place: 4, size: 4 },
      { ...step, place: 0, size: 5 },
      { ...step, kind: "write if", place: 2, size: 3 },
    ]);
    expect(second).toBe(first);
  });

  it("are none, which is always right, if there are too many sets", () => {
    const written = new WrittenBytes(new Work(1));
    let last = -1;
    for (let set = 0; last !== 0 && set < 1 << 18; set++) {
      written.load(0);
      for (let bit = 0; bit < 18; bit++) if ((set & (1 << bit)) !== 0) written.write(32 * bit, 1);
      const stored = written.store();
      if (set > 0) last = stored;
    }
    expect(last).toBe(0);
    expect(written.missing(0, 1)).toBe(0);
  });
});
