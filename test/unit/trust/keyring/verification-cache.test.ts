import { describe, expect, it } from "vitest";
import { Window } from "../../../../src/trust/base/window.js";
import { VerificationCache } from "../../../../src/trust/keyring/verification-cache.js";
import type { Verification } from "../../../../src/trust/model/verification.js";

const good = (name: string): Verification => ({
  verdict: 0,
  reason: name,
  rule: null,
  signer: name,
  signers: [],
  paths: [],
  until: 0,
});
const bytes = (index: number, size: number): Buffer => {
  const made = Buffer.alloc(size, index & 0xff);
  made.writeUInt32LE(index, Math.max(0, size - 4));
  return made;
};
const window = (from: number, until: number): Window => Object.assign(new Window(from), { from, until });

describe("a cache of verifications", () => {
  it("answers only for the same bytes, signature and type", () => {
    const cache = new VerificationCache();
    const [data, signature] = [bytes(1, 100), bytes(2, 200)];
    const answer = good("a");
    cache.keep(data, signature, "PKCS7", window(0, 100), answer);
    expect(cache.find(Buffer.from(data), Buffer.from(signature), "PKCS7", 50)).toBe(answer);
    expect(cache.find(data, signature, "MODSIG", 50)).toBeNull();
    for (let index = 0; index < data.length; index++) {
      const other = Buffer.from(data);
      other[index] = (other[index] as number) ^ 1;
      expect(cache.find(other, signature, "PKCS7", 50)).toBeNull();
    }
    for (let index = 0; index < signature.length; index++) {
      const other = Buffer.from(signature);
      other[index] = (other[index] as number) ^ 1;
      expect(cache.find(data, other, "PKCS7", 50)).toBeNull();
    }
  });

  it("answers only in the window in which nothing changes", () => {
    const cache = new VerificationCache();
    cache.keep(bytes(1, 10), bytes(2, 10), "PKCS7", window(10, 20), good("a"));
    const at = (moment: number): unknown => cache.find(bytes(1, 10), bytes(2, 10), "PKCS7", moment);
    expect([at(9), at(20)]).toEqual([null, null]);
    expect([at(10), at(19)]).not.toContain(null);
  });

  it("is not affected by later changes of its caller's memory", () => {
    const cache = new VerificationCache();
    const data = bytes(1, 50);
    cache.keep(data, bytes(2, 50), "PKCS7", window(0, 9), good("a"));
    data.fill(0);
    expect(cache.find(data, bytes(2, 50), "PKCS7", 5)).toBeNull();
    expect(cache.find(bytes(1, 50), bytes(2, 50), "PKCS7", 5)).not.toBeNull();
  });

  it("forgets the oldest first, and never answers for another, through many rounds of its ring", {
    tags: ["deep"],
  }, () => {
    const cache = new VerificationCache();
    const size = (index: number): number => 100 + ((index * 7919) % 30_000);
    for (let index = 0; index < 3000; index++) {
      cache.keep(bytes(index, size(index)), bytes(index, 64), "PKCS7", window(0, 9), good(`${index}`));
      for (const back of [0, 1, 5, 300, 1500]) {
        const known = index - back;
        if (known < 0) continue;
        const found = cache.find(bytes(known, size(known)), bytes(known, 64), "PKCS7", 5);
        if (found !== null) expect(found.signer).toBe(`${known}`);
        if (back <= 5) expect(found).not.toBeNull();
        if (back === 1500) expect(found).toBeNull();
      }
    }
  });

  it("does not store an entry that is larger than an eighth of it", () => {
    const cache = new VerificationCache();
    const large = Buffer.alloc(600 * 1024);
    cache.keep(large, bytes(2, 64), "PKCS7", window(0, 9), good("a"));
    expect(cache.find(large, bytes(2, 64), "PKCS7", 5)).toBeNull();
  });
});
