import { describe, expect, it } from "vitest";
import { Cursor, checkDer, readDer } from "../../../../src/trust/asn1/der.js";
import { readNamedBits, readSmallInteger, readUnsigned } from "../../../../src/trust/asn1/der-value.js";
import { dotted, oid } from "../../../../src/trust/asn1/oid.js";
import { TAG } from "../../../../src/trust/asn1/tag.js";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const check = (hex: string) => (): void => checkDer(bytes(hex), 0, bytes(hex).length);
const nested = (depth: number): Buffer => {
  let inner: Buffer = bytes("0500");
  for (let level = 0; level < depth; level++) inner = Buffer.concat([Buffer.of(0x30, inner.length), inner]);
  return inner;
};

describe("DER", () => {
  it.each([
    ["an integer", "02 01 00"],
    ["a negative integer", "02 01 80"],
    ["an integer with the octet that its sign needs", "02 02 0080"],
    ["a long length", `04 81 80 ${"00".repeat(128)}`],
    ["a bit string with unused bits", "03 02 07 80"],
    ["an identifier", "06 03 2a8648"],
    ["text", "0c 02 c3a9"],
    ["a time", `17 0d ${Buffer.from("260131000000Z").toString("hex")}`],
    ["a time with a fraction", `18 11 ${Buffer.from("20260131000000.5Z").toString("hex")}`],
    ["the leap day of a leap year", `18 0f ${Buffer.from("20240229000000Z").toString("hex")}`],
    ["a set in order", "31 06 020101 020102"],
    ["an empty sequence", "30 00"],
    ["contents of a context tag that only its owner understands", "80 02 ffff"],
  ])("takes %s", (_what, hex) => {
    expect(check(hex)).not.toThrow();
  });

  it.each([
    ["nothing where a length should be", "30", "an element is cut short"],
    ["contents that are cut short", "04 05 00", "a length of 5 where 1 bytes are left"],
    ["an indefinite length", "30 80 0000", "an indefinite length"],
    ["a length in the long form that fits the short one", "04 81 01 00", "a length that is not minimal"],
    ["a length with a leading zero", `04 82 0080 ${"00".repeat(128)}`, "a length that is not minimal"],
    ["a length of five octets", "04 85 0000000001 00", "a length of 5 octets"],
    ["a high tag number", "1f 81 00 00", "a tag number of more than 30"],
    ["a private tag", "c0 00", "an application or private tag"],
    ["an application tag", "40 00", "an application or private tag"],
    ["an end of contents", "00 00", "universal tag 0, which is not allowed here"],
    ["a real number", "09 01 00", "universal tag 9, which is not allowed here"],
    ["an integer without contents", "02 00", "an integer without contents"],
    ["an integer with a needless zero", "02 02 007f", "an integer that is not minimal"],
    ["an integer with a needless sign", "02 02 ff80", "an integer that is not minimal"],
    ["a boolean that is neither", "01 01 01", "a boolean that is neither 0x00 nor 0xff"],
    ["a boolean of two bytes", "01 02 ffff", "a boolean that is not one byte"],
    ["unused bits that are set", "03 02 07 81", "unused bits that are not zero"],
    ["eight unused bits", "03 02 08 00", "a bit string with a wrong number of unused bits"],
    ["unused bits of nothing", "03 01 01", "a bit string with a wrong number of unused bits"],
    ["a null with contents", "05 01 00", "a null with contents"],
    ["a padded identifier", "06 02 8001", "an object identifier with a padded part"],
    ["an identifier that is cut short", "06 01 86", "an object identifier that is cut short"],
    ["an octet string in pieces", "24 04 0402 0000", "constructed encoding of universal tag 4"],
    ["text that is not UTF-8", "0c 02 c328", "text that is not UTF-8"],
    ["text that is not ASCII", "13 01 ff", "a character that is not ASCII"],
    ["a set out of order", "31 06 020102 020101", "a set that is not in ascending order"],
    ["a set with an element twice", "31 06 020101 020101", "a set that is not in ascending order"],
    ["a time without seconds", `17 0b ${Buffer.from("2601310000Z").toString("hex")}`, "a time that is not in DER form"],
    ["a time in a zone", `17 11 ${Buffer.from("260131000000+0100").toString("hex")}`, "a time that is not in DER form"],
    [
      "a day that does not exist",
      `17 0d ${Buffer.from("260230000000Z").toString("hex")}`,
      "a time that is not in DER form",
    ],
    [
      "a fraction with a needless zero",
      `18 12 ${Buffer.from("20260131000000.50Z").toString("hex")}`,
      "a time that is not in DER form",
    ],
  ])("does not take %s", (_what, hex, message) => {
    expect(check(hex)).toThrow(expect.objectContaining({ code: "DER_MALFORMED", message }));
  });

  it("says at which byte it stopped", () => {
    expect(check("30 06 020101 02020001")).toThrow(expect.objectContaining({ place: "byte 5" }));
    expect(check("30 05 020101 010101".replace("05", "06"))).toThrow(expect.objectContaining({ place: "byte 5" }));
  });

  it("may be nested thirty-two levels deep and no deeper", () => {
    expect(() => checkDer(nested(32), 0, nested(32).length)).not.toThrow();
    expect(() => checkDer(nested(33), 0, nested(33).length)).toThrow(/nested deeper/);
  });

  it("has nothing behind the one element of an input", () => {
    expect(() => readDer(bytes("0201 0100"), TAG.integer, "a number")).toThrow(
      /unexpected bytes at the end of a number/,
    );
    expect(() => readDer(bytes("040101"), TAG.integer, "a number")).toThrow(/a number expected, found tag 0x04/);
    expect(() => readDer(bytes(""), TAG.integer, "a number")).toThrow(/a number expected, found nothing/);
  });

  it("reads numbers, named bits and identifiers", () => {
    const element = (hex: string) => new Cursor(bytes(hex), 0, bytes(hex).length).next();
    expect(readSmallInteger(element("02 02 00ff"))).toBe(255);
    expect(() => readSmallInteger(element("02 01 ff"))).toThrow(/out of range/);
    expect(readUnsigned(element("02 09 00ffffffffffffffff"), 8)).toBe(2n ** 64n - 1n);
    expect(() => readUnsigned(element("02 01 80"), 8)).toThrow(/negative/);
    expect(readNamedBits(element("03 02 01 06"))).toBe(0b110_0000);
    expect(readNamedBits(element("03 01 00"))).toBe(0);
    expect(() => readNamedBits(element("03 02 00 06"))).toThrow(/trailing zero bits/);
    for (const name of ["1.2.840.113549.1.7.2", "2.5.29.15", "0.9.2342", "2.999.1", "1.3.6.1.4.1.311.2.1.14"])
      expect(dotted(oid(name))).toBe(name);
  });
});
