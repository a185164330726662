import { describe, expect, it } from "vitest";
import { SUBJECT_TEXT_KEPT, SUBJECTS_KEPT } from "../../../../src/sandbox/shared/limits.js";
import { EncodedSubjects } from "../../../../src/sandbox/subjects/encoded-subjects.js";
import { Subjects } from "../../../../src/sandbox/subjects/subjects.js";
import { blob, Guest, link } from "../../../support/guest.js";

/** Says of a subject whether it is what its own `json` says, and whether all of it is frozen. */
const WHOLE = link(
  blob(`const { json, ...rest } = blob;
  const frozen = (value) => typeof value !== "object" || value === null ||
    Object.isFrozen(value) && Object.values(value).every(frozen);
  const inherited = Object.getPrototypeOf(blob);
  return JSON.stringify(rest) === json && frozen(blob) && inherited !== Object.prototype && Object.isFrozen(inherited) &&
    blob instanceof Object ? 0 : -1;`),
);

const asSeen = (_: string, value: unknown) => (value instanceof Uint8Array ? { length: value.length } : value);
const described = (subject: object) => Object.freeze({ ...subject, json: JSON.stringify(subject, asSeen) });

describe("subjects in one guest", () => {
  const seen = (guest: Guest, subject: object) => guest.ask(WHOLE, { subject: described(subject) });

  it("are each built as they are, however many values they have in common and however many are forgotten", () => {
    const guest = new Guest();
    const common = Object.freeze({ reads: false, writes: true });
    for (let n = 0; n < 300; n++) {
      const subject = {
        common,
        first: [`${n}`],
        second: [{ n, inner: [n % 7] }],
        third: n % 2 === 0 ? [] : ["x"],
        // the same text as `first` of an earlier one
        last: [`${n - (n % 60)}`],
      };
      expect(seen(guest, subject), `${n}`).toMatchObject({ verdict: 0, fault: null });
    }
  });

  it("are built correctly, whatever the shapes of other subjects", () => {
    const guest = new Guest();
    const values: readonly unknown[] = [null, 1, "a", true, [], { a: [1] }, Uint8Array.of(1), undefined];
    const named = ["__proto__", "constructor", "toJSON", "0", 'a"]\\', "\u2028\u0000\ud800"];
    for (let n = 0; n < 200; n++) {
      const fields = named.map((name, index) => [name, values[(n * (index + 1) + index) % values.length]]);
      const subject = Object.fromEntries([
        ["digest", "d"],
        ...fields.filter(([, value]) => typeof value !== "function"),
      ]);
      expect(seen(guest, subject), `${n}`).toMatchObject({ verdict: 0, fault: null });
    }
  });

  it("have bytes within, and values too long to be shared", () => {
    const guest = new Guest();
    for (let n = 1; n < 80; n++) {
      const file = { path: `f${n}`, data: new Uint8Array(n), parts: [new Uint8Array(n + 1), null] };
      const subject = { file, data: new Uint8Array(n + 2), long: Array.from({ length: 300 }, (_, index) => index * n) };
      expect(seen(guest, subject), `${n}`).toMatchObject({ verdict: 0, fault: null });
    }
  });

  it("keep their bytes' numbers apart", () => {
    const guest = new Guest();
    const policy = link(
      blob("return read(blob.file.data, 0, 1)[0] === blob.n ? 0 : -1;", 'import { read } from "countersign";'),
    );
    const subjects = Array.from({ length: 20 }, (_, n) => ({
      n,
      file: { data: Uint8Array.of(n), no: new Uint8Array(0) },
    }));
    for (const subject of [...subjects, ...subjects]) expect(guest.ask(policy, { subject }).verdict).toBe(0);
  });

  it("have bytes of their own lengths, whichever subject was asked before", () => {
    const guest = new Guest();
    const policy = link(
      blob(
        "return blob.parts.every((part, index) => part.length === blob.n + index) && blob.data.length === 1 ? 0 : -1;",
      ),
    );
    const subjects = Array.from({ length: 6 }, (_, n) => ({
      n,
      parts: Array.from({ length: 20 + n }, (_, index) => new Uint8Array(n + index)),
      data: new Uint8Array(1),
    }));
    for (const order of [subjects, subjects, subjects.toReversed(), subjects])
      for (const subject of order) expect(guest.ask(policy, { subject })).toMatchObject({ verdict: 0, fault: null });
  });

  it("lack the fields that are only for people", () => {
    const subject = { name: "b", evidence: [{ effect: "decides" }], maps: [{ evidence: 1 }] };
    const policy = link(blob('return "evidence" in blob || blob.maps[0].evidence !== 1 ? -1 : 0;'));
    expect(new Guest().ask(policy, { subject }).verdict).toBe(0);
  });

  it("that cannot cross are a fault of their own, and those after them are built", () => {
    const guest = new Guest();
    const unfit = { shared: ["only here"], n: Number.NaN };
    for (let n = 0; n < 100; n++)
      expect(guest.ask(WHOLE, { subject: { ...unfit } }).fault).toMatchObject({ code: "INTERNAL_FAULT" });
    expect(seen(guest, { shared: ["only here"], n: 1 })).toMatchObject({ verdict: 0, fault: null });
  });

  it("are built as they are in each guest of a domain, however often the others were asked before it", {
    tags: ["deep"],
  }, () => {
    const guest = new Guest();
    const policies = [WHOLE, ...["a", "b"].map((name) => ({ ...WHOLE, digest: `${WHOLE.digest}-${name}` }))];
    for (let n = 0; n < 400; n++) {
      // 40 shapes and more than 64 shared values: the numbers of both are used again
      const subject = described({ n, data: new Uint8Array(n), [`field-${n % 40}`]: [`${n}`], list: [`${n % 90}`] });
      for (const [index, policy] of policies.entries())
        if (n % (1 + 20 * index) === 0)
          expect(guest.ask(policy, { subject }), `${n}, ${index}`).toMatchObject({ verdict: 0, fault: null });
    }
    expect(guest.domain.made).toBe(policies.length);
  });
});

describe("subjects that a guest keeps", () => {
  /** Which subjects are built, by their name, and in which slots. */
  function keeper() {
    const built: string[] = [];
    const slots = new Map<number, string>();
    const subjects = new Subjects(new EncodedSubjects([]), {
      shape: () => {},
      share: () => {},
      put: (slot, text) => {
        const name = (JSON.parse(text) as [number, string])[1].slice(0, 8);
        built.push(name);
        slots.set(slot, name);
      },
      drop: (slot) => slots.delete(slot),
    });
    const ask = (subject: { readonly name: string }) => {
      const slot = subjects.slotOf(subject, Number.POSITIVE_INFINITY);
      expect(slots.get(slot)).toBe(subject.name.slice(0, 8));
    };
    return { ask, built, slots };
  }
  const named = (count: number, kind: string, size = 0) =>
    Array.from({ length: count }, (_, n) => ({ name: `${kind}${n}`.padEnd(8) + "x".repeat(size) }));

  it("are those that recur; all others share one slot", () => {
    const { ask, built, slots } = keeper();
    const recurring = named(SUBJECTS_KEPT - 1, "r");
    for (let round = 0; round < 2; round++) for (const subject of recurring) ask(subject);
    // the last one of the first round still had the slot that all others share
    expect(built.length).toBe(2 * recurring.length - 1);
    for (const subject of named(1000, "p")) ask(subject);
    for (const subject of recurring) ask(subject);
    expect(built.length).toBe(2 * recurring.length - 1 + 1000);
    expect(slots.size).toBe(SUBJECTS_KEPT);
  });

  it("are the most recently used of those that recur, if there are too many", () => {
    const { ask, built } = keeper();
    const [first, ...rest] = named(SUBJECTS_KEPT, "r");
    for (let round = 0; round < 2; round++) for (const subject of [first!, ...rest]) ask(subject);
    built.length = 0;
    ask(rest.at(-1)!);
    ask(rest[1]!);
    expect(built).toEqual([]);
    ask(first!);
    expect(built).toEqual([first!.name]);
  });

  it("have no more text than a bound, the last one excepted", { tags: ["deep"] }, () => {
    const { ask, slots } = keeper();
    const large = named(20, "l", SUBJECT_TEXT_KEPT / 8);
    for (let round = 0; round < 3; round++)
      for (const subject of large) {
        ask(subject);
        expect(slots.size).toBeLessThanOrEqual(8);
      }
    for (const subject of named(3, "h", 2 * SUBJECT_TEXT_KEPT)) {
      ask(subject);
      expect(slots.size).toBe(1);
    }
  });
});
