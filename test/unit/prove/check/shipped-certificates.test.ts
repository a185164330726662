import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CertifiedFolder, SHIPPED } from "../../../support/certificates.js";

/** Why no certificate of a shipped policy can be made, and at which line; docs/prove.md has the same. */
const UNCERTIFIED: Readonly<Record<string, readonly [line: string, why: RegExp]>> = {
  "hash-allow-list.js": ["hash-allow-list.js:9", /the name `Array`/],
  "program-budget.ts": ["program-budget.ts:23", /`<=` of something else than numbers/],
};
/** Paths, branches, and refuted sides of each table. */
const COUNTS: Readonly<Record<string, readonly [paths: number, branches: number, refuted: number]>> = {
  "allow-unsigned-tc.js": [4, 3, 0],
  "container-lockdown.js": [10, 18, 9],
  "debug-read-only.js": [6, 5, 0],
  "no-kernel-read.js": [2, 1, 0],
  "no-packet-redirect.js": [2, 1, 0],
  "observe.js": [2, 1, 0],
  "optional-signature.js": [39, 68, 30],
  "verify-all.js": [2, 3, 2],
  "verify-blobs.js": [54, 85, 32],
};

it("each shipped policy is certified, or listed with the reason", () => {
  expect([...Object.keys(COUNTS), ...Object.keys(UNCERTIFIED)].sort()).toEqual([...SHIPPED].sort());
});

describe.each(Object.entries(COUNTS))("the certificate of %s", (name, counts) => {
  it("passes the checker", { tags: ["deep"] }, () => {
    const folder = CertifiedFolder.shipped(name);
    const checked = folder.check(JSON.stringify(folder.make()));
    // With one attachment for all callers, the table of the configuration is the same
    expect(checked.map((one) => ("attachment" in one ? one.attachment : null))).toEqual([
      name.replace(/\.\w+$/, ""),
      null,
    ]);
    expect(checked.map(({ paths, branches, refuted }) => [paths, branches, refuted])).toEqual([counts, counts]);
    folder.remove();
  });
});

describe.each(Object.entries(UNCERTIFIED))("a certificate of %s", (name, [line, why]) => {
  it("cannot be made, for a reason with a line", () => {
    const folder = CertifiedFolder.shipped(name);
    const message = expect.stringMatching(why);
    expect(() => folder.make()).toThrow(expect.objectContaining({ code: "PROOF_UNSUPPORTED", place: line, message }));
    folder.remove();
  });
});

/** Lines with code: neither empty nor comments. */
const linesOf = (text: string) => text.split("\n").filter((line) => !/^\s*(?:\/\/.*|\/\*.*|\*.*)?$/.test(line)).length;

it("the checker has fewer than 3,000 lines of code", () => {
  const source = join(import.meta.dirname, "../../../../src/prove/check");
  const lines = readdirSync(source).map((file) => linesOf(readFileSync(join(source, file), "utf8")));
  expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThan(3_000);
});
