/** Object identifiers that are made long: those of more than 64 octets are malformed, wherever they are. */
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../src/errno.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { trusting } from "../support/trust.js";
import { worked } from "../support/work.js";

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const between = root.subordinate({ subject: "Between" });
const signer = between.issue({ subject: "Signer" });
const message = signPkcs7(data, { ...signer, chain: [between.certificate] });
const keyring = () => trusting([root.pem.certificate]);

/** A DER element: its contents, or the elements in it. */
type Node = readonly [tag: number, content: Buffer | readonly Node[]];
const OID = 6;
const OCTET_STRING = 4;

function nodesOf(bytes: Buffer): readonly Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const short = bytes[at + 1]!;
    const many = short < 0x80 ? 0 : short & 0x7f;
    const length = many === 0 ? short : bytes.readUIntBE(at + 2, many);
    const body = at + 2 + many;
    const contents = bytes.subarray(body, body + length);
    nodes.push([tag, (tag & 0x20) !== 0 ? nodesOf(contents) : contents]);
    at = body + length;
  }
  return nodes;
}

function encoded([tag, content]: Node): Buffer {
  const body = content instanceof Buffer ? content : Buffer.concat((content as readonly Node[]).map(encoded));
  const octets: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  const length = body.length < 0x80 ? [body.length] : [0x80 | octets.length, ...octets];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const [tree] = nodesOf(Buffer.from(message)) as [Node];

/** The paths of all identifiers, as indexes of children. Those in extensions are in octet strings, which are opaque. */
function* identifiers([tag, content]: Node, path: readonly number[] = []): Generator<readonly number[]> {
  if (tag === OID) yield path;
  if (!(content instanceof Buffer))
    for (const [index, child] of (content as readonly Node[]).entries()) yield* identifiers(child, [...path, index]);
}

function replaced([tag, content]: Node, [first, ...rest]: readonly number[], by: Buffer): Node {
  if (first === undefined) return [tag, by];
  const children = content as readonly Node[];
  return [tag, children.map((child, index) => (index === first ? replaced(child, rest, by) : child))];
}

const places = [...identifiers(tree)];
/** One arc of so many octets. */
const arc = (octets: number) => Buffer.from([...new Array<number>(octets - 1).fill(0xff), 0x01]);
/** Many arcs of one octet. */
const arcs = (octets: number) => Buffer.alloc(octets, 0x7f);

describe("an object identifier of a signature", () => {
  it("is there in many places", () => {
    expect(encoded(tree)).toEqual(Buffer.from(message));
    expect(keyring().verify(data, message, "PKCS7", Date.now()).verdict).toBe(0);
    expect(places.length).toBeGreaterThan(20);
  });

  describe.each([
    ["of one arc", arc],
    ["of many arcs", arcs],
  ])("%s", (_, make) => {
    it.each(places.map((place) => [place.join("."), place] as const))("of 65 octets is malformed: %s", (_, place) => {
      for (const octets of [65, 1_000, 60_000]) {
        const costly = encoded(replaced(tree, place, make(octets)));
        const { result, blocks } = worked(() => keyring().verify(data, costly, "PKCS7", Date.now()));
        expect([result.verdict, result.reason]).toEqual([
          -ERRNO.EBADMSG,
          expect.stringMatching(/^the signature cannot be read: .*an object identifier of more than 64 octets/),
        ]);
        expect(blocks).toBeLessThan(100_000 + 20 * costly.length);
      }
    });

    it.each(places.map((place) => [place.join("."), place] as const))("of 64 octets is read: %s", (_, place) => {
      const { verdict, reason } = keyring().verify(data, encoded(replaced(tree, place, make(64))), "PKCS7", Date.now());
      expect(verdict).not.toBe(0);
      expect(reason).not.toContain("more than 64 octets");
      expect(reason.length).toBeLessThanOrEqual(300);
    });
  });

  it("in an extension, which is in an octet string, is malformed too", () => {
    const extensions = [...octetStringsWithIdentifiers(tree)];
    expect(extensions.length).toBeGreaterThan(0);
    for (const [path, inner] of extensions)
      for (const own of identifiers(inner)) {
        const costly = encoded(replaced(tree, path, encoded(replaced(inner, own, arc(65)))));
        const { verdict, reason } = keyring().verify(data, costly, "PKCS7", Date.now());
        expect([verdict, reason]).toEqual([-ERRNO.EBADMSG, expect.stringContaining("more than 64 octets")]);
      }
  });
});

/** Octet strings that have DER with identifiers. */
function* octetStringsWithIdentifiers(
  [tag, content]: Node,
  path: readonly number[] = [],
): Generator<[readonly number[], Node]> {
  if (!(content instanceof Buffer)) {
    for (const [index, child] of (content as readonly Node[]).entries())
      yield* octetStringsWithIdentifiers(child, [...path, index]);
  } else if (tag === OCTET_STRING && content[0] === 0x30 && content.length === content[1]! + 2) {
    const [inner] = nodesOf(content);
    if (inner !== undefined && [...identifiers(inner)].length > 0) yield [path, inner];
  }
}
