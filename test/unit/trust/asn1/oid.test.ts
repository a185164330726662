import { describe, expect, it } from "vitest";
import { ANY_POLICY, CMS_OID, dotted, EXTENSION, KEY_PURPOSE, octetsOf, oid } from "../../../../src/trust/asn1/oid.js";

const NAMED = Object.entries({ ...CMS_OID, ...EXTENSION, ...KEY_PURPOSE, ANY_POLICY });
const latin = (octets: string) => Buffer.from(octets, "latin1");

/** Other octets; all but the first and the last two have the sum by which identifiers are found. */
function* neighbours(octets: string): Generator<Buffer> {
  yield latin(octets.slice(0, -1));
  for (let index = 1; index < octets.length; index++) {
    const bytes = latin(octets);
    bytes[index - 1]! += 1;
    bytes[index]! -= 31;
    if (bytes[index - 1]! - octets.charCodeAt(index - 1) === 1 && octets.charCodeAt(index) >= 31) yield bytes;
  }
  yield latin(`\0${octets}`);
  yield latin(`\0\0${octets}`);
}

describe("an object identifier", () => {
  it.each(NAMED)("%s is read as it is named, wherever it stands", (_, octets) => {
    const bytes = Buffer.concat([Buffer.of(6, octets.length), latin(octets), Buffer.of(5, 0)]);
    expect(octetsOf(bytes, 2, 2 + octets.length)).toBe(octets);
    expect(oid(dotted(octets))).toBe(octets);
  });

  it.each(NAMED)("that is similar to %s is read correctly", (_, octets) => {
    for (const bytes of neighbours(octets)) {
      const read = octetsOf(bytes, 0, bytes.length);
      expect(latin(read)).toEqual(bytes);
      expect(read).not.toBe(octets);
    }
  });

  it("that has no name, or no octets, is read", () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(300, 0x81), Buffer.of(0x2a, 3, 4)])
      expect(latin(octetsOf(bytes, 0, bytes.length))).toEqual(bytes);
  });
});
