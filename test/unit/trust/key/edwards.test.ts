import { describe, expect, it } from "vitest";
import { element, identifier, sequence } from "../../../../src/trust/asn1/der-writer.js";
import { TAG } from "../../../../src/trust/asn1/tag.js";
import { KEY_KINDS } from "../../../../src/trust/issuing/authority.js";
import { publicPart } from "../../../../src/trust/issuing/private-key.js";
import { readPublicKey } from "../../../../src/trust/key/key.js";

const P25519 = 2n ** 255n - 19n;
const P448 = 2n ** 448n - 2n ** 224n - 1n;
const ORDER_8 = BigInt("0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7");

const TYPES = {
  ed25519: { oid: "1.3.101.112", octets: 32, prime: P25519, small: [0n, 1n, P25519 - 1n, ORDER_8, P25519 - ORDER_8] },
  ed448: { oid: "1.3.101.113", octets: 57, prime: P448, small: [0n, 1n, P448 - 1n] },
} as const;

/** The SubjectPublicKeyInfo of a point by its y-coordinate and the sign of x. */
function spki({ oid, octets }: { oid: string; octets: number }, y: bigint, sign: 0 | 1): Buffer {
  const point = Buffer.from(y.toString(16).padStart(octets * 2, "0"), "hex").reverse();
  point[octets - 1] = (point[octets - 1] as number) | (sign << 7);
  return sequence(sequence(identifier(oid)), element(TAG.bitString, Buffer.of(0), point));
}

describe.each(Object.entries(TYPES))("a key of type %s", (name, type) => {
  const signs = [0, 1] as const;
  it.each(type.small.flatMap((y) => signs.map((sign) => [y, sign] as const)))(
    "is refused as a point of small order: y = %s, sign %s",
    (y, sign) => {
      expect(() => readPublicKey(spki(type, y, sign))).toThrow(`the ${name} public key is a point of small order`);
    },
  );

  const most = 2n ** (name === "ed25519" ? 255n : 448n) - type.prime;
  it.each([0n, 1n])("is refused as small order in its second encoding: y = %s + p", (y) => {
    expect(() => readPublicKey(spki(type, y + type.prime, 0))).toThrow("small order");
  });

  it.each([2n, 3n, most - 1n].filter((y) => name === "ed448" || y !== 1n))("is refused with y = %s + p", (y) => {
    expect(() => readPublicKey(spki(type, y + type.prime, 0))).toThrow(/RFC 8032|small order/);
  });
});

it("keys as tools make them are taken", () => {
  for (let count = 0; count < 64; count++) expect(readPublicKey(publicPart(KEY_KINDS.ed25519())).problem).toBeNull();
});
