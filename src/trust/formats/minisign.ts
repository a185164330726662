import { createHash } from "node:crypto";
import { CountersignError } from "../../error.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { NAMELESS } from "../base/signer-identity.js";
import type { Scheme } from "../key/algorithm.js";
import { isMinisignKey, type MinisignKey, minisignId, readMinisignKey } from "../key/minisign-key.js";
import type { Signer } from "../model/signer.js";
import type { BlockList } from "../path/block-list.js";
import { blocksIn } from "./blocks.js";
import type { KeyFile, SignatureFormat, VerificationContext } from "./format.js";

export const MINISIGN_KEYS: KeyFile<MinisignKey> = {
  kind: "minisign key",
  is: isMinisignKey,
  read: (text) => [readMinisignKey(text)],
};

export const MINISIGN: SignatureFormat = {
  doc: "As minisign writes it.",
  detached: true,
  endings: [".minisig"],
  check: null,
  several: {
    split: (file) => blocksIn(file, SIGNATURES),
    signerOf: idOf,
    naming: (keyring) => {
      const ids = new Set(keyring.keysOf(MINISIGN_KEYS).map(({ name }) => name));
      return (signature, effort) => ids.has(effort.decode(signature.length, () => idOf(signature)));
    },
  },
  keys: MINISIGN_KEYS,
  open(keyring) {
    const keys = keyring.keysOf(MINISIGN_KEYS);
    return (context) => verifyMinisign(keys, keyring.blockList, context);
  },
};

/**
 * Verifies a minisign signature over `data`, and its global signature over the first signature and the trusted comment
 * (https://jedisct1.github.io/minisign, "Signature format").
 */
function verifyMinisign(
  keys: readonly MinisignKey[],
  blockList: BlockList,
  { data, signature, effort }: VerificationContext,
): readonly Signer[] | Refusal {
  const parts = effort.decode(signature.length, () => partsOf(signature));
  if (parts === null) return refuse("EBADMSG", RULE, "not a minisign signature");
  const { bytes, comment, whole } = parts;
  const algorithm = bytes.toString("latin1", 0, 2);
  if (algorithm !== "ED" && algorithm !== "Ed")
    return refuse("ENOPKG", RULE, "an unknown minisign signature algorithm");
  // `ED` signs the BLAKE2b digest, `Ed` the data, and the global signature does not cover which of the two was used. So
  // a signature of other data could be presented as an `Ed` signature over that data's digest
  if (algorithm === "Ed" && data.length === DIGEST_SIZE)
    return refuse("EKEYREJECTED", RULE, "a legacy signature over 64 bytes, which may be the digest of other data");
  const id = minisignId(bytes);
  const found = keys.find((key) => key.name === id);
  if (found === undefined) return refuse("ENOKEY", RULE, `minisign key ${id} is not in the keyring`);
  const { key } = found;
  const value = bytes.subarray(10);
  const signed = algorithm === "Ed" ? data : Buffer.from(effort.contentDigest(DIGEST, data, blake2b), "hex");
  const refusal =
    blockList.key(key) ??
    key.verify(ED25519, signed, value, RULE, effort) ??
    key.verify(ED25519, Buffer.concat([value, Buffer.from(comment, "latin1")]), whole, COMMENT_RULE, effort);
  return refusal ?? [{ name: `minisign key ${id}`, key, ...NAMELESS }];
}

/** The first signature with algorithm and key id, the trusted comment, the global signature; null if malformed. */
function partsOf(signature: Uint8Array): { bytes: Buffer; comment: string; whole: Buffer } | null {
  const [, first = "", comment = "", second = ""] = SIGNATURE.exec(Buffer.from(signature).toString("latin1")) ?? [];
  const bytes = Buffer.from(first, "base64");
  const whole = Buffer.from(second, "base64");
  const isWhole = bytes.length === 74 && bytes.toString("base64") === first && whole.toString("base64") === second;
  return isWhole ? { bytes, comment, whole } : null;
}

/** The id of the key that a signature names. Throws SIGNATURE_MALFORMED. */
function idOf(signature: Uint8Array): string {
  const parts = partsOf(signature);
  if (parts !== null) return minisignId(parts.bytes);
  throw new CountersignError("SIGNATURE_MALFORMED", "is not a minisign signature", {
    remedy: "give the unmodified .minisig files, one after the other",
  });
}

const RULE = "minisign";
const COMMENT_RULE = `${RULE} trusted comment`;
const ED25519: Scheme = { family: "edwards", digest: null, salt: 0, keyType: "ed25519" };
const DIGEST = "blake2b512";
const DIGEST_SIZE = 64;

function blake2b(digest: string, data: Uint8Array): string {
  return createHash(digest).update(data).digest("hex");
}

const SIGNATURES =
  /untrusted comment:[^\r\n]*\r?\n[A-Za-z0-9+/]{99}=\r?\ntrusted comment: [^\r\n]*\r?\n[A-Za-z0-9+/]{86}==\s*/y;
const SIGNATURE =
  /^untrusted comment:[^\r\n]*\r?\n([A-Za-z0-9+/]{99}=)\r?\ntrusted comment: ([^\r\n]*)\r?\n([A-Za-z0-9+/]{86}==)\s*$/;
