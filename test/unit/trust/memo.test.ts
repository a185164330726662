import { describe, expect, it } from "vitest";
import { VerificationMemo } from "../../../src/trust/memo.js";
import type { Verification } from "../../../src/trust/verification.js";
import { Window } from "../../../src/trust/window.js";

const good = (name: string): Verification => ({ verdict: 0, reason: name, rule: null, signer: name, until: 0 });
const bytes = (index: number, size: number): Buffer => {
  const made = Buffer.alloc(size, index & 0xff);
  made.writeUInt32LE(index, Math.max(0, size - 4));
  return made;
};
const window = (from: number, until: number): Window => Object.assign(new Window(from), { from, until });

describe("a memo of verifications", () => {
  it("answers for the same bytes, signature and type alone", () => {
    const memo = new VerificationMemo();
    const [data, signature] = [bytes(1, 100), bytes(2, 200)];
    const answer = good("a");
    memo.keep(data, signature, "PKCS7", window(0, 100), answer);
    expect(memo.find(Buffer.from(data), Buffer.from(signature), "PKCS7", 50)).toBe(answer);
    expect(memo.find(data, signature, "MODSIG", 50)).toBeNull();
    for (let index = 0; index < data.length; index++) {
      const other = Buffer.from(data);
      other[index] = (other[index] as number) ^ 1;
      expect(memo.find(other, signature, "PKCS7", 50)).toBeNull();
    }
    for (let index = 0; index < signature.length; index++) {
      const other = Buffer.from(signature);
      other[index] = (other[index] as number) ^ 1;
      expect(memo.find(data, other, "PKCS7", 50)).toBeNull();
    }
  });

  it("answers only in the window in which nothing changes", () => {
    const memo = new VerificationMemo();
    memo.keep(bytes(1, 10), bytes(2, 10), "PKCS7", window(10, 20), good("a"));
    const at = (moment: number): unknown => memo.find(bytes(1, 10), bytes(2, 10), "PKCS7", moment);
    expect([at(9), at(20)]).toEqual([null, null]);
    expect([at(10), at(19)]).not.toContain(null);
  });

  it("does not see what its caller does with the memory afterwards", () => {
    const memo = new VerificationMemo();
    const data = bytes(1, 50);
    memo.keep(data, bytes(2, 50), "PKCS7", window(0, 9), good("a"));
    data.fill(0);
    expect(memo.find(data, bytes(2, 50), "PKCS7", 5)).toBeNull();
    expect(memo.find(bytes(1, 50), bytes(2, 50), "PKCS7", 5)).not.toBeNull();
  });

  it("forgets the oldest first, and never answers for another, through many rounds of its ring", () => {
    const memo = new VerificationMemo();
    const size = (index: number): number => 100 + ((index * 7919) % 30_000);
    for (let index = 0; index < 3000; index++) {
      memo.keep(bytes(index, size(index)), bytes(index, 64), "PKCS7", window(0, 9), good(`${index}`));
      for (const back of [0, 1, 5, 300, 1500]) {
        const known = index - back;
        if (known < 0) continue;
        const found = memo.find(bytes(known, size(known)), bytes(known, 64), "PKCS7", 5);
        if (found !== null) expect(found.signer).toBe(`${known}`);
        if (back <= 5) expect(found).not.toBeNull();
        if (back === 1500) expect(found).toBeNull();
      }
    }
  });

  it("leaves out what is larger than an eighth of it", () => {
    const memo = new VerificationMemo();
    const large = Buffer.alloc(600 * 1024);
    memo.keep(large, bytes(2, 64), "PKCS7", window(0, 9), good("a"));
    expect(memo.find(large, bytes(2, 64), "PKCS7", 5)).toBeNull();
  });
});
