// @module-tag deep
/** Object identifiers that are made long: those of more than 64 octets are malformed, wherever they are. */
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../src/errno.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { type DerNode, derBytes, derChanged, derNodes, derPaths } from "../support/der-tree.js";
import { trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between" });
const signer = between.issue({ subject: "Signer" });
const message = signPkcs7(data, { ...signer, chain: [between.certificate] });
const keyring = () => trusting([root.pem.certificate]);

const OID = 6;
const OCTET_STRING = 4;

const [tree] = derNodes(Buffer.from(message)) as [DerNode];

/** The paths of all identifiers. Those in extensions are in octet strings, which are opaque. */
const identifiers = (node: DerNode) => [...derPaths(node)].flatMap(([path, [tag]]) => (tag === OID ? [path] : []));
const replaced = (node: DerNode, path: readonly number[], by: Buffer) => derChanged(node, path, ([tag]) => [[tag, by]]);

const places = identifiers(tree);
/** One arc of so many octets. */
const arc = (octets: number) => Buffer.from([...new Array<number>(octets - 1).fill(0xff), 0x01]);
/** Many arcs of one octet. */
const arcs = (octets: number) => Buffer.alloc(octets, 0x7f);

describe("an object identifier of a signature", () => {
  it("is there in many places", () => {
    expect(derBytes(tree)).toEqual(Buffer.from(message));
    expect(keyring().verify(data, message, "PKCS7", Date.now()).verdict).toBe(0);
    expect(places.length).toBeGreaterThan(20);
  });

  describe.each([
    ["of one arc", arc],
    ["of many arcs", arcs],
  ])("%s", (_, make) => {
    it.each(places.map((place) => [place.join("."), place] as const))("of 65 octets is malformed: %s", (_, place) => {
      for (const octets of [65, 1_000, 60_000]) {
        const costly = derBytes(replaced(tree, place, make(octets)));
        const { result, blocks } = worked(() => keyring().verify(data, costly, "PKCS7", Date.now()));
        expect([result.verdict, result.reason]).toEqual([
          -ERRNO.EBADMSG,
          expect.stringMatching(/^the signature cannot be read: .*an object identifier of more than 64 octets/),
        ]);
        expect(blocks).toBeLessThan(100_000 + 20 * costly.length);
      }
    });

    it.each(places.map((place) => [place.join("."), place] as const))("of 64 octets is read: %s", (_, place) => {
      const { verdict, reason } = keyring().verify(
        data,
        derBytes(replaced(tree, place, make(64))),
        "PKCS7",
        Date.now(),
      );
      expect(verdict).not.toBe(0);
      expect(reason).not.toContain("more than 64 octets");
      expect(reason.length).toBeLessThanOrEqual(300);
    });
  });

  it("in an extension, which is in an octet string, is malformed too", () => {
    const extensions = octetStringsWithIdentifiers(tree);
    expect(extensions.length).toBeGreaterThan(0);
    for (const [path, inner] of extensions)
      for (const own of identifiers(inner)) {
        const costly = derBytes(replaced(tree, path, derBytes(replaced(inner, own, arc(65)))));
        const { verdict, reason } = keyring().verify(data, costly, "PKCS7", Date.now());
        expect([verdict, reason]).toEqual([-ERRNO.EBADMSG, expect.stringContaining("more than 64 octets")]);
      }
  });
});

/** Octet strings that have DER with identifiers. */
function octetStringsWithIdentifiers(node: DerNode): readonly (readonly [path: readonly number[], inner: DerNode])[] {
  return [...derPaths(node)].flatMap(([path, [tag, content]]) => {
    if (tag !== OCTET_STRING || !(content instanceof Buffer)) return [];
    if (content[0] !== 0x30 || content.length !== content[1]! + 2) return [];
    const [inner] = derNodes(content);
    return inner !== undefined && identifiers(inner).length > 0 ? [[path, inner] as const] : [];
  });
}
