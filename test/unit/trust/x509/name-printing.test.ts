/**
 * Names as RFC 4514 writes them: whatever a value holds, it reads back as the one value it is, and nothing in it
 * reaches a terminal.
 */
import { describe, expect, it } from "vitest";
import { Cursor } from "../../../../src/trust/asn1/der.js";
import { element, identifier, sequence, setOf } from "../../../../src/trust/asn1/der-writer.js";
import { TAG } from "../../../../src/trust/asn1/tag.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { Name } from "../../../../src/trust/x509/name.js";
import { nameOfValues, STRING_TYPES, utf8 } from "../../../support/names.js";
import { trusting } from "../../../support/trust.js";

const CN = "2.5.4.3";
const read = (der: Buffer): Name => new Name(new Cursor(der, 0, der.length).take(TAG.sequence, "a name"));
const shown = (...values: readonly (readonly [string, Buffer])[]): string => read(nameOfValues(...values)).toString();

const ROWS: readonly (readonly [value: string, printed: string])[] = [
  ["Signer", "CN=Signer"],
  ["x, O=Platform Team", "CN=x\\, O=Platform Team"],
  ["x,O=Platform Team", "CN=x\\,O=Platform Team"],
  ["x+O=Platform Team", "CN=x\\+O=Platform Team"],
  ["x; CN=Platform Team", "CN=x\\; CN=Platform Team"],
  ['a"b', 'CN=a\\"b'],
  ["a<b>c", "CN=a\\<b\\>c"],
  ["a\\", "CN=a\\\\"],
  ["a\\,b", "CN=a\\\\\\,b"],
  ["#04", "CN=\\#04"],
  ["a#", "CN=a#"],
  [" a ", "CN=\\ a\\ "],
  [" ", "CN=\\ "],
  ["", "CN="],
  ["a`b", "CN=a\\60b"],
  ["a\0b", "CN=a\\00b"],
  ["a\nsigned by `root`", "CN=a\\0Asigned by \\60root\\60"],
  ["a\r", "CN=a\\0D"],
  ["\u001b[31mred", "CN=\\1B[31mred"],
  ["\u009b31m", "CN=\\C2\\9B31m"],
  ["\u007f", "CN=\\7F"],
  ["a\u202eb", "CN=a\\E2\\80\\AEb"],
  ["a\u2066b", "CN=a\\E2\\81\\A6b"],
  ["a\u200bb", "CN=a\\E2\\80\\8Bb"],
  ["a\u00adb", "CN=a\\C2\\ADb"],
  ["a\u2028b", "CN=a\\E2\\80\\A8b"],
  ["a\u00a0b", "CN=a\\C2\\A0b"],
  ["a\u3164b", "CN=a\\E3\\85\\A4b"],
  ["a\ue000b", "CN=a\\EE\\80\\80b"],
  ["a\u{e0041}b", "CN=a\\F3\\A0\\81\\81b"],
  ["M\u00fcller \u4e2d\u{1f600}", "CN=M\u00fcller \u4e2d\u{1f600}"],
];

describe("a printed name", () => {
  it.each(ROWS)("of %j is %s", (value, printed) => {
    expect(shown([CN, utf8(value)])).toBe(printed);
  });

  it("begins with the last attribute, and joins those of one set", () => {
    expect(shown(["2.5.4.6", utf8("US")], ["2.5.4.10", utf8("Example")], [CN, utf8("Signer")])).toBe(
      "CN=Signer,O=Example,C=US",
    );
    const set = setOf([sequence(identifier(CN), utf8("a")), sequence(identifier("2.5.4.11"), utf8("b"))]);
    expect(read(sequence(set)).toString()).toBe("CN=a+OU=b");
    expect(read(sequence()).toString()).toBe("(empty name)");
  });

  it.each(Object.entries(STRING_TYPES))("has the characters of a %s", (_type, { write }) => {
    expect(shown([CN, write("1, 2")])).toBe("CN=1\\, 2");
  });

  it("contains the hex of a value that is not a string, and of a type without a name", () => {
    expect(shown([CN, element(TAG.octetString, Buffer.from("hi"))])).toBe("CN=#04026869");
    expect(shown([CN, element(TAG.teletexString, Buffer.of(0xff))])).toBe("CN=#1401ff");
    expect(shown(["1.2.3", utf8("hi")])).toBe("1.2.3=#0c026869");
  });

  it("can be parsed back to its values, whatever they contain", { tags: ["deep"] }, () => {
    const alphabet = [
      ...' ,+"\\<>;=#`aZ0\0\n\u001b\u009b\u00ad\u202e\u200b\u2028\u00e9\u{1f600}',
      "CN=",
      ", O=",
      "\\2C",
      "\\\\",
    ];
    let state = 1;
    const pick = (limit: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % limit;
    };
    for (let round = 0; round < 2000; round++) {
      const values = Array.from({ length: 1 + pick(3) }, () =>
        Array.from({ length: pick(6) }, () => alphabet[pick(alphabet.length)]).join(""),
      );
      const printed = shown(...values.map((value) => [CN, utf8(value)] as const));
      expect(parsed(printed)).toEqual(values.toReversed().map((value) => ["CN", value]));
      expect(printed).not.toMatch(/[`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
    }
  });

  it("is what a verification calls the signer", () => {
    const root = Authority.create({ subject: "Root" });
    const signer = root.issue({ subject: "x, O=Platform Team\u001b[2J\n`" });
    const data = Buffer.from("data");
    const { signer: name, reason } = trusting([root.pem.certificate]).verify(
      data,
      signPkcs7(data, signer),
      "PKCS7",
      Date.now(),
    );
    expect(name).toBe("CN=x\\, O=Platform Team\\1B[2J\\0A\\60");
    expect(reason).toBe(`signed by \`${name}\``);
  });
});

/** RFC 4514 3, for names without `+`. */
function parsed(text: string): readonly (readonly [type: string, value: string])[] {
  const parts = text.match(/(?:[^,\\]|\\[0-9A-F]{2}|\\.)+/gs) ?? [];
  return parts.map((part) => {
    const at = part.indexOf("=");
    const octets = part
      .slice(at + 1)
      .match(/\\[0-9A-F]{2}|\\.|[^\\]/gsu)
      ?.map((one) =>
        /^\\[0-9A-F]{2}$/.test(one) ? Buffer.from(one.slice(1), "hex") : Buffer.from(one.replace(/^\\/, "")),
      );
    return [part.slice(0, at), Buffer.concat(octets ?? []).toString("utf8")];
  });
}
