import { existsSync } from "node:fs";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import type { Several, SignatureFormat } from "../../trust/formats/format.js";
import { FORMATS, type SignatureType } from "../../trust/formats/formats.js";
import { MAX_SIGNATURE } from "../../trust/formats/pkcs7.js";

/**
 * A signature followed by those by other signers that a file has already. The new one is first, for readers that take
 * only one, and since `signer_of` returns the first that a keyring takes. An earlier one by the same signer is left
 * out, and so is everything of a type of which a file has one signature. Throws SIGNING_FAILED if the file has anything
 * else, or no room.
 */
export function besideOthers(type: SignatureType, path: string, signature: Uint8Array): Uint8Array {
  const { several } = FORMATS[type] as SignatureFormat;
  if (several === null || !existsSync(path)) return signature;
  const own = several.split(signature).map((part) => several.signerOf(part));
  const others = signaturesIn(several, path).filter(({ signer }) => !own.includes(signer));
  const all = Buffer.concat([signature, ...others.map(({ bytes }) => bytes)]);
  if (all.length <= MAX_SIGNATURE) return all;
  throw new CountersignError("SIGNING_FAILED", `there is no room for another signature: ${all.length} bytes`, {
    place: path,
    remedy: "remove signatures that are not used any more, or write to another folder with --out",
  });
}

function signaturesIn(
  { split, signerOf }: Several,
  path: string,
): readonly { readonly signer: string; readonly bytes: Uint8Array }[] {
  try {
    return split(readInput(path, MAX_SIGNATURE)).map((bytes) => ({ signer: signerOf(bytes), bytes }));
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw new CountersignError("SIGNING_FAILED", `has something else than signatures: ${cause.message}`, {
      place: path,
      remedy: "move the file away, or write to another one with --out",
      cause,
    });
  }
}
