/** CMS messages: honest ones, and the same damaged in ways that have names. */
import { randomBytes } from "node:crypto";
import { element, identifier, integer, NULL, octetString, sequence } from "../../../src/trust/asn1/der-writer.js";
import { CMS_OID } from "../../../src/trust/asn1/oid.js";
import { context } from "../../../src/trust/asn1/tag.js";
import { type SigningIdentity, signKernel, signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import {
  attribute,
  type MessageParts,
  message,
  type SignerParts,
  signerInfo,
  usualAttributes,
} from "../../support/cms.js";
import { damaged } from "../../support/damage.js";
import { type Chain, type Next, STRANGER } from "./chains.js";

/** A message and the data that it is to be held against. */
export interface Message {
  readonly data: Buffer;
  readonly signature: Buffer;
}

export interface Given {
  readonly data: Buffer;
  /** The leaf signs with SHA-256. */
  readonly chain: Chain;
  readonly next: Next;
}

export type MessageDamage = keyof typeof MESSAGE_DAMAGES;

export function makeMessage(damage: MessageDamage, given: Given): Message {
  return MESSAGE_DAMAGES[damage](given);
}

const signerOf = ({ leaf, untrusted }: Chain): SigningIdentity => ({ ...leaf, chain: untrusted });
const carried = ({ leaf, untrusted }: Chain): readonly Buffer[] =>
  [leaf.certificate, ...untrusted].map(({ der }) => der);

/** A message by the chain's leaf: with attributes or without, with PSS where the key can. */
function honest(given: Given): Buffer {
  const { data, chain, next } = given;
  if (next(4) === 0) return crafted(given, { attributes: null });
  return signPkcs7(data, signerOf(chain), { pss: chain.leaf.key.asymmetricKeyType === "rsa" && next(2) === 0 });
}

/** A message put together part by part. */
function crafted({ data, chain }: Given, signer: SignerParts = {}, parts: MessageParts = {}): Buffer {
  return message([signerInfo(data, chain.leaf, signer)], { certificates: carried(chain), ...parts });
}

/** The data stays and the signature is made so. */
const signature =
  (make: (given: Given) => Buffer) =>
  (given: Given): Message => ({ data: given.data, signature: make(given) });

/** The signature has these attributes, made from the usual two. */
const attributes = (make: (type: Buffer, digest: Buffer) => readonly Buffer[]) =>
  signature((given) => {
    const [type, digest] = usualAttributes(given.data) as [Buffer, Buffer];
    return crafted(given, { attributes: make(type, digest) });
  });

const flipped = (bytes: Buffer, next: Next): Buffer => {
  const at = next(bytes.length);
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.of((bytes[at] as number) ^ (1 << next(8))),
    bytes.subarray(at + 1),
  ]);
};

/** What is inside the outermost element. */
function contents(bytes: Buffer): Buffer {
  const octets = (bytes[1] as number) >= 0x80 ? (bytes[1] as number) & 0x7f : 0;
  return bytes.subarray(2 + octets);
}

/** Damages by name; what is called `honest` leaves the message good. */
export const MESSAGE_DAMAGES = {
  honest: signature(honest),
  "honest, two signers": signature(({ data, chain }) => signPkcs7(data, [signerOf(chain), chain.second])),
  "other data": (given) => ({ data: Buffer.concat([given.data, Buffer.of(0)]), signature: honest(given) }),
  "a bit of the data": (given) => ({ data: flipped(given.data, given.next), signature: honest(given) }),
  "a bit of the message": signature((given) => flipped(honest(given), given.next)),
  "bytes of the message": signature((given) => damaged(honest(given), given.next)),
  "cut short": signature((given) => honest(given).subarray(0, given.next(200))),
  "bytes behind it": signature((given) => Buffer.concat([honest(given), randomBytes(1 + given.next(4))])),
  "an indefinite length": signature((given) =>
    Buffer.concat([Buffer.from([0x30, 0x80]), contents(honest(given)), Buffer.alloc(2)]),
  ),
  "a length that is not minimal": signature((given) => {
    const inside = contents(honest(given));
    const header = Buffer.from([0x30, 0x84, 0, 0, 0, 0]);
    header.writeUInt32BE(inside.length, 2);
    return Buffer.concat([header, inside]);
  }),
  "attributes out of order": attributes((type, digest) => [digest, type]),
  "an attribute twice": attributes((type, digest) => [type, digest, digest]),
  "no digest among the attributes": attributes((type) => [type]),
  "no content type among the attributes": attributes((_, digest) => [digest]),
  "another content type among the attributes": attributes((_, digest) => [
    attribute(CMS_OID.contentType, identifier("1.2.840.113549.1.7.5")),
    digest,
  ]),
  "two digests in one attribute": signature((given) => {
    const [type] = usualAttributes(given.data) as [Buffer, Buffer];
    const digests = attribute(CMS_OID.messageDigest, octetString(Buffer.alloc(32)), octetString(Buffer.alloc(31)));
    return crafted(given, { attributes: [type, digests] });
  }),
  "attributes passed off as data": (given) => {
    const data = element(0x31, ...usualAttributes(given.data));
    return { data, signature: crafted({ ...given, data }, { attributes: null }) };
  },
  "its own content, the same": signature((given) => crafted(given, {}, { content: given.data })),
  "its own content, another": signature((given) => {
    const content = Buffer.from("another");
    return crafted({ ...given, data: content }, {}, { content });
  }),
  "a version that does not fit": signature((given) =>
    crafted(given, {}, { version: [0, 2, 3, 4, 5][given.next(5)] as number }),
  ),
  "a digest that is not listed": signature((given) =>
    crafted(given, {}, { digests: [sequence(identifier("2.16.840.1.101.3.4.2.3"))] }),
  ),
  "an attribute that nothing covers": signature((given) =>
    crafted(given, { unsigned: element(context(1, true), attribute("\x2a\x03", NULL)) }),
  ),
  "a signature of noise": signature((given) => crafted(given, { signature: randomBytes(1 + given.next(256)) })),
  "no signature": signature((given) => crafted(given, { signature: Buffer.alloc(0) })),
  "r and s of zero": signature((given) => crafted(given, { signature: sequence(integer(0), integer(0)) })),
  "no certificates": signature((given) => crafted(given, {}, { certificates: [] })),
  "by key identifier, without certificates": signature(({ data, chain }) => signKernel(data, chain.leaf)),
  "only the leaf's certificate": signature(({ data, chain }) => signPkcs7(data, chain.leaf)),
  "a signer of elsewhere": signature(({ data }) => signPkcs7(data, STRANGER)),
  "a second signer of elsewhere": signature(({ data, chain }) => signPkcs7(data, [signerOf(chain), STRANGER])),
  "a second signer whose signature is bad": signature(({ data, chain }) =>
    message([signerInfo(data, chain.leaf), signerInfo(data, chain.second, { signature: randomBytes(70) })], {
      certificates: [...carried(chain), chain.second.certificate.der],
    }),
  ),
  "another's signature": signature(({ data, chain }) =>
    message([signerInfo(data, { key: chain.second.key, certificate: chain.leaf.certificate })], {
      certificates: carried(chain),
    }),
  ),
  "no signer": signature(({ chain }) => message([], { certificates: carried(chain) })),
} as const satisfies Readonly<Record<string, (given: Given) => Message>>;
