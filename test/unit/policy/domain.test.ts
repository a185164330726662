import { describe, expect, it } from "vitest";
import { blob, Guest } from "../../support/guest.js";

const answers = (guest: Guest, count: number) =>
  Array.from({ length: count }, (_, index) => guest.ask(blob(`return -${index} || 0;`)).verdict);
const expected = (count: number) => Array.from({ length: count }, (_, index) => -index || 0);

describe("a domain", () => {
  it("makes room for policies, and makes them again when they are asked", () => {
    const guest = new Guest({ kept: 4 });
    for (let round = 0; round < 3; round++) expect(answers(guest, 12)).toEqual(expected(12));
  });

  it("keeps subjects apart, however many there are", () => {
    const guest = new Guest();
    const source = blob("return blob.number === blob.data.length ? 0 : -1;");
    for (let round = 0; round < 2; round++)
      for (let number = 0; number < 200; number++)
        expect(guest.ask(source, { subject: { number, data: new Uint8Array(number) } }).verdict).toBe(0);
  });

  it("gives a helper the bytes of the subject that is asked about", () => {
    const guest = new Guest();
    const source = `import { hash } from "countersign"; export const blob_verify = (b) => (hash("sha256", b.data) === b.name ? 0 : -1);`;
    const functions = { hash: (_: string, data: Uint8Array) => `n${data[0]}` };
    const subjects = Array.from({ length: 100 }, (_, n) => ({ name: `n${n}`, data: Uint8Array.of(n) }));
    for (const subject of [...subjects, ...subjects]) expect(guest.ask(source, { subject, functions }).verdict).toBe(0);
  });

  it("goes on after a policy that ran out of memory, and its neighbours with it", () => {
    const guest = new Guest();
    for (let round = 0; round < 3; round++) {
      expect(guest.ask(blob("return 'x'.repeat(1e8).length;")).fault?.code).toBe("OUT_OF_MEMORY");
      expect(answers(guest, 3)).toEqual(expected(3));
    }
  });

  it("says what cannot cross, and does not ask", () => {
    const guest = new Guest();
    for (const bad of [{ n: Number.NaN }, { f: () => 0 }, { b: 1n }, { d: new Date(0) }])
      expect(guest.ask(blob("return 0;"), { subject: bad }).fault).toMatchObject({
        code: "INTERNAL_FAULT",
        message: expect.stringContaining("cannot cross"),
      });
  });

  it("has a helper's failure told to people, and not to the policy", () => {
    const functions = {
      hash: () => {
        throw new TypeError("/secret/path");
      },
    };
    const source = `import { hash } from "countersign";
      export function blob_verify(blob) { try { hash("sha256", blob.data); } catch (error) { return String(error).includes("secret") ? 0 : -1; } }`;
    expect(new Guest().ask(source, { functions })).toMatchObject({
      verdict: null,
      fault: { code: "INTERNAL_FAULT", message: "TypeError: /secret/path" },
    });
  });
});
