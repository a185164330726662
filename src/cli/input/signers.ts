import type { KeyObject } from "node:crypto";
import { createPublicKey } from "node:crypto";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { MINISIGN_KEYS } from "../../trust/formats/minisign.js";
import { SSH_KEYS } from "../../trust/formats/sshsig.js";
import { publicPart, readPrivateKey, type SigningKey } from "../../trust/issuing/private-key.js";
import type { AnyIdentity } from "../../trust/issuing/sign-cms.js";
import {
  isMinisignSecretKey,
  type MinisignIdentity,
  readMinisignSecretKey,
} from "../../trust/issuing/sign-minisign.js";
import { type PublicKey, readPublicKey } from "../../trust/key/key.js";
import { keysOf, readMaterial } from "../../trust/source/source.js";
import { AbsentKey, AttachedKey, CommandKey } from "./external-key.js";
import { type PassphraseOptions, passphraseOf } from "./passphrase.js";
import { TokenKey } from "./token-key.js";

/** The options that name the keys and certificates of signers. */
export interface SignerOptions extends PassphraseOptions {
  /** Paths of files, or URIs of keys in a token. */
  readonly key?: readonly string[];
  readonly cert?: readonly string[];
  readonly pkcs12?: readonly string[];
  readonly chain?: readonly string[];
  readonly pkcs11Module?: string;
  /** File with the public part of an external key, for signatures without a certificate. */
  readonly publicKey?: string;
  readonly signerCommand?: string;
  readonly digestOnly?: true;
  readonly attach?: string;
}

/** All signers in the given order: keys with their certificates, then those of PKCS#12 files. Throws USAGE. */
export async function signersOf(options: SignerOptions): Promise<readonly AnyIdentity[]> {
  const { key = [], cert = [], pkcs12 = [], chain = [] } = options;
  const carried = certificatesIn(chain);
  if (isElsewhere(options)) return [elsewhere(options, carried)];
  if (key.length !== cert.length) throw usage("there is not one --cert for each --key", "give them in pairs");
  if (key.length + pkcs12.length === 0) throw usage("no signer is given", "give --key and --cert, or --pkcs12");
  const passphrase = passphraseOf(options);
  const signers = key.map((name, index) => pair(name, cert[index] as string, carried, passphrase, options));
  if (pkcs12.length === 0) return signers;
  const { readPkcs12Identity } = await import("../../trust/issuing/pkcs12.js");
  for (const path of pkcs12) {
    const { chain: own, ...identity } = await readPkcs12Identity({ path, bytes: readInput(path) }, passphrase);
    signers.push({ ...identity, chain: [...own, ...carried] });
  }
  return signers;
}

/** The one key for a signature without a certificate: `RAW`, `SSHSIG`. Throws USAGE, KEY_MALFORMED. */
export function keyOf(options: SignerOptions): SigningKey {
  const { key = [], cert = [], pkcs12 = [] } = options;
  if (pkcs12.length > 0) throw usage("a signature without a certificate, and --pkcs12", "give --key");
  if (isElsewhere(options)) {
    if (options.publicKey !== undefined) return externalKey(options, publicKeyIn(options.publicKey));
    return elsewhere(options, []).key;
  }
  const [name, another] = key;
  if (name === undefined || another !== undefined) throw usage("exactly one key is needed", "give one --key");
  if (!name.startsWith("pkcs11:")) return privateKey(name, passphraseOf(options));
  const [place] = cert;
  if (place === undefined) throw usage("a key in a token, and no --cert with its public part", "give --cert");
  return pair(name, place, [], passphraseOf(options), options).key;
}

/** A minisign key: from its own file, or an external key with its `.pub` file. Throws USAGE, KEY_MALFORMED. */
export function minisignKeyOf(options: SignerOptions): MinisignIdentity {
  const { key = [], publicKey } = options;
  if (isElsewhere(options)) {
    if (options.signerCommand === undefined)
      throw usage("minisign signs its own signature too", "give --signer-command, which can be asked twice");
    const [found] = publicKey === undefined ? [] : keysOf(material(publicKey), MINISIGN_KEYS);
    if (found === undefined) throw usage("there is no minisign key", "name the .pub file with --public-key");
    const id = Buffer.from(found.name, "hex").reverse();
    return { key: externalKey(options, found.key), id };
  }
  const [name, another] = key;
  if (name === undefined || another !== undefined) throw usage("exactly one key is needed", "give one --key");
  const bytes = readInput(name);
  if (isMinisignSecretKey(bytes)) return readMinisignSecretKey({ path: name, bytes });
  throw usage(`\`${name}\` is not a minisign secret key`, "make one with `minisign -G -W`");
}

function isElsewhere({ signerCommand, digestOnly, attach, key = [], pkcs12 = [] }: SignerOptions): boolean {
  const ways = [signerCommand, digestOnly, attach].filter((way) => way !== undefined).length;
  if (ways > 1) throw usage("several ways to sign elsewhere", "give one of --signer-command, --digest-only, --attach");
  if (ways === 1 && key.length + pkcs12.length > 0)
    throw usage("a key here, and one elsewhere", "leave --key and --pkcs12 out; --cert says whose signature it is");
  return ways === 1;
}

function elsewhere(options: SignerOptions, carried: AnyIdentity["chain"] & object): AnyIdentity {
  const [place, another] = options.cert ?? [];
  if (place === undefined || another !== undefined)
    throw usage("one signer is elsewhere, and there is not one --cert", "give the signer's --cert");
  const { certificate, more } = certificateIn(place);
  return { key: externalKey(options, certificate.publicKey), certificate, chain: [...more, ...carried] };
}

function externalKey({ signerCommand, attach }: SignerOptions, key: PublicKey): SigningKey {
  const publicKey = createPublicKey({ key: key.spki.whole, format: "der", type: "spki" });
  if (signerCommand !== undefined) return new CommandKey(publicKey, signerCommand);
  return attach === undefined
    ? new AbsentKey(publicKey)
    : new AttachedKey(publicKey, Buffer.from(readInput(attach, MAX_BARE)));
}

/** Maximum size in bytes of a bare signature file. */
const MAX_BARE = 65_536;

function publicKeyIn(path: string): PublicKey {
  const found = material(path);
  const key = found.keys[0] ?? keysOf(found, SSH_KEYS)[0]?.key ?? found.certificates[0]?.publicKey;
  if (key !== undefined) return key;
  throw usage(`\`${path}\` holds no public key`, "name it as `openssl pkey -pubout` or ssh-keygen writes it");
}

function privateKey(path: string, passphrase: string | null): KeyObject {
  const key = readPrivateKey({ path, bytes: readInput(path) }, passphrase);
  // Reject now a key that no keyring accepts.
  readPublicKey(publicPart(key));
  return key;
}

function pair(
  name: string,
  place: string,
  carried: AnyIdentity["chain"] & object,
  passphrase: string | null,
  { pkcs11Module }: SignerOptions,
): AnyIdentity {
  const { certificate, more } = certificateIn(place);
  const chain = [...more, ...carried];
  if (!name.startsWith("pkcs11:"))
    return { key: readPrivateKey({ path: name, bytes: readInput(name) }, passphrase), certificate, chain };
  if (pkcs11Module === undefined)
    throw usage("a key in a token, and no module to reach it by", "name the token's library with --pkcs11-module");
  return { key: new TokenKey(name, certificate, { module: pkcs11Module, pin: passphrase }), certificate, chain };
}

function certificateIn(place: string): {
  certificate: AnyIdentity["certificate"];
  more: readonly AnyIdentity["certificate"][];
} {
  const [certificate, ...more] = certificatesIn([place]);
  if (certificate !== undefined) return { certificate, more };
  throw new CountersignError("CERTIFICATE_MALFORMED", "holds no certificate", {
    place,
    remedy: "name the signer's certificate",
  });
}

function certificatesIn(paths: readonly string[]): ReturnType<typeof readMaterial>["certificates"] {
  return readMaterial(paths.map((path) => ({ path, bytes: readInput(path) }))).certificates;
}

function material(path: string): ReturnType<typeof readMaterial> {
  return readMaterial([{ path, bytes: readInput(path) }]);
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
