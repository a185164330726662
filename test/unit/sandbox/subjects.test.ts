import { describe, expect, it } from "vitest";
import { blob, Guest, link } from "../../support/guest.js";

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

  it("are built as they are, whatever shapes others have", () => {
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

  it("are without what is for people", () => {
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
});
