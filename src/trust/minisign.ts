import { createHash } from "node:crypto";
import type { Scheme } from "./algorithm.js";
import type { BlockList } from "./block-list.js";
import { type MinisignKey, minisignId } from "./minisign-key.js";
import { type Refusal, refuse } from "./refusal.js";
import type { Signer } from "./signer.js";

/**
 * Verifies a minisign signature over `data`, and its global signature over the first signature and the trusted comment
 * (https://jedisct1.github.io/minisign, "Signature format").
 */
export function verifyMinisign(
  keys: readonly MinisignKey[],
  blockList: BlockList,
  data: Uint8Array,
  signature: Uint8Array,
): readonly Signer[] | Refusal {
  const [, first = "", comment = "", second = ""] = SIGNATURE.exec(Buffer.from(signature).toString("latin1")) ?? [];
  const bytes = Buffer.from(first, "base64");
  const whole = Buffer.from(second, "base64");
  if (bytes.length !== 74 || bytes.toString("base64") !== first || whole.toString("base64") !== second)
    return refuse("EBADMSG", RULE, "not a minisign signature");
  const algorithm = bytes.toString("latin1", 0, 2);
  if (algorithm !== "ED" && algorithm !== "Ed")
    return refuse("ENOPKG", RULE, "an unknown minisign signature algorithm");
  // `ED` signs the BLAKE2b digest, `Ed` the data, and the global signature does not cover which of the two was used. So
  // a signature of other data could be presented as an `Ed` signature over that data's digest
  if (algorithm === "Ed" && data.length === DIGEST_SIZE)
    return refuse("EKEYREJECTED", RULE, "a legacy signature over 64 bytes, which may be the digest of other data");
  const id = minisignId(bytes);
  const found = keys.find((key) => key.id === id);
  if (found === undefined) return refuse("ENOKEY", RULE, `minisign key ${id} is not in the keyring`);
  const { key } = found;
  const value = bytes.subarray(10);
  const signed = algorithm === "Ed" ? data : createHash("blake2b512").update(data).digest();
  const refusal =
    blockList.key(key) ??
    key.verify(ED25519, signed, value, RULE) ??
    key.verify(ED25519, Buffer.concat([value, Buffer.from(comment, "latin1")]), whole, `${RULE} trusted comment`);
  return refusal ?? [{ name: `minisign key ${id}`, key }];
}

const RULE = "minisign";
const ED25519: Scheme = { family: "edwards", digest: null, salt: 0, keyType: "ed25519" };
/** BLAKE2b-512. */
const DIGEST_SIZE = 64;

const SIGNATURE =
  /^untrusted comment:[^\r\n]*\r?\n([A-Za-z0-9+/]{99}=)\r?\ntrusted comment: ([^\r\n]*)\r?\n([A-Za-z0-9+/]{86}==)\s*$/;
