import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import { readPrivateKey } from "../trust/making/private-key.js";
import type { AnyIdentity } from "../trust/making/sign.js";
import { readMaterial } from "../trust/source.js";
import { passphraseIn } from "./passphrase.js";
import { TokenKey } from "./token-key.js";

/** Whose keys and certificates a command line names. */
export interface SignerOptions {
  /** Files, or URIs of keys in a token. */
  readonly key?: readonly string[];
  readonly cert?: readonly string[];
  readonly pkcs12?: readonly string[];
  readonly chain?: readonly string[];
  readonly passphraseFile?: string;
  readonly pkcs11Module?: string;
}

/** Everyone who is to sign, in the order given: keys with their certificates, then those of PKCS#12 files. Throws USAGE. */
export async function signersOf(options: SignerOptions): Promise<readonly AnyIdentity[]> {
  const { key = [], cert = [], pkcs12 = [], chain = [], passphraseFile } = options;
  if (key.length !== cert.length) throw usage("there is not one --cert for each --key", "give them in pairs");
  if (key.length + pkcs12.length === 0) throw usage("nobody is to sign", "give --key and --cert, or --pkcs12");
  const passphrase = passphraseFile === undefined ? null : passphraseIn(passphraseFile);
  const carried = certificatesIn(chain);
  const signers = key.map((name, index) => pair(name, cert[index] as string, carried, passphrase, options));
  if (pkcs12.length === 0) return signers;
  const { readPkcs12Identity } = await import("../trust/making/pkcs12.js");
  for (const path of pkcs12) {
    const { chain: own, ...identity } = await readPkcs12Identity({ path, bytes: readInput(path) }, passphrase);
    signers.push({ ...identity, chain: [...own, ...carried] });
  }
  return signers;
}

function pair(
  name: string,
  place: string,
  carried: AnyIdentity["chain"] & object,
  passphrase: string | null,
  { pkcs11Module, passphraseFile }: SignerOptions,
): AnyIdentity {
  const [certificate, ...more] = certificatesIn([place]);
  if (certificate === undefined)
    throw new CountersignError("CERTIFICATE_MALFORMED", "holds no certificate", {
      place,
      remedy: "name the signer's certificate",
    });
  const chain = [...more, ...carried];
  if (!name.startsWith("pkcs11:"))
    return { key: readPrivateKey({ path: name, bytes: readInput(name) }, passphrase), certificate, chain };
  if (pkcs11Module === undefined)
    throw usage("a key in a token, and no module to reach it by", "name the token's library with --pkcs11-module");
  const token = { module: pkcs11Module, pinFile: passphraseFile ?? null };
  return { key: new TokenKey(name, certificate, token), certificate, chain };
}

function certificatesIn(paths: readonly string[]): ReturnType<typeof readMaterial>["certificates"] {
  return readMaterial(paths.map((path) => ({ path, bytes: readInput(path) }))).certificates;
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
