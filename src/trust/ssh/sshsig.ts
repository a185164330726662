import { integer, sequence } from "../asn1/der-writer.js";
import type { BlockList } from "../block-list.js";
import { hash } from "../digest.js";
import type { KeyringRules } from "../keyring-rules.js";
import { printable } from "../printable.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Signer } from "../signer.js";
import type { Window } from "../window.js";
import type { SshSigner } from "./allowed-signers.js";
import { SshReader, sshString } from "./ssh-wire.js";

/** The keys and rules for SSH signatures, as `ssh-keygen -Y sign` makes them (OpenSSH's PROTOCOL.sshsig). */
export class SshTrust {
  readonly #signers = new Map<string, SshSigner[]>();
  readonly #namespaces: ReadonlySet<string>;
  readonly #validity: KeyringRules["validity"];

  constructor(signers: readonly SshSigner[], { ssh, validity }: Pick<KeyringRules, "ssh" | "validity">) {
    for (const signer of signers) this.#signers.set(signer.blob, [...(this.#signers.get(signer.blob) ?? []), signer]);
    this.#namespaces = new Set(ssh?.namespaces ?? DEFAULT_NAMESPACES);
    this.#validity = validity;
  }

  get size(): number {
    return this.#signers.size;
  }

  /** The signer with key `blob`, if it may sign for `namespace` at the window's time; otherwise the refusal. */
  find(blob: string, namespace: string, window: Window): SshSigner | Refusal {
    const lines = this.#signers.get(blob);
    if (lines === undefined) return refuse("ENOKEY", RULE, "the signature's SSH key is not in the keyring");
    if (!this.#namespaces.has(namespace))
      return refuse(
        "EKEYREJECTED",
        "SSHSIG namespace",
        `a signature for \`${printable(namespace)}\`, which the keyring does not accept`,
      );
    let refusal: Refusal | null = null;
    for (const line of lines) {
      refusal = this.#limits(line, namespace, window);
      if (refusal === null) return line;
    }
    return refusal as Refusal;
  }

  #limits({ name, namespaces, validAfter, validBefore }: SshSigner, namespace: string, window: Window): Refusal | null {
    if (namespaces !== null && !namespaces.some((pattern) => matches(pattern, namespace)))
      return refuse("EKEYREJECTED", "SSHSIG namespace", `\`${name}\` may not sign for \`${printable(namespace)}\``);
    if (this.#validity === "ignore") return null;
    if (window.reached(validBefore)) return refuse("EKEYEXPIRED", "valid-before", `the key of \`${name}\` has expired`);
    if (window.reached(validAfter)) return null;
    return refuse("EKEYREJECTED", "valid-after", `the key of \`${name}\` is not valid yet`);
  }
}

/** The namespace that ssh-keygen(1) suggests for files. */
export const DEFAULT_NAMESPACES: readonly string[] = ["file"];

/** Verifies an armored SSH signature over `data`. Throws SIGNATURE_MALFORMED. */
export function verifySshsig(
  trust: SshTrust,
  blockList: BlockList,
  data: Uint8Array,
  signature: Uint8Array,
  window: Window,
): readonly Signer[] | Refusal {
  const blob = unarmored(signature);
  if (blob === null) return refuse("EBADMSG", RULE, "not an armored SSH signature");
  const reader = new SshReader(blob);
  if (reader.take(MAGIC.length, "a magic number").toString("latin1") !== MAGIC)
    return refuse("EBADMSG", RULE, "an SSH signature without its magic number");
  const version = reader.uint32("a version");
  if (version !== 1) return refuse("ENOPKG", RULE, `version ${version} of SSH signatures is not supported`);
  const key = reader.string("a key").toString("latin1");
  const namespace = reader.string("a namespace").toString("utf8");
  const reserved = reader.string("a reserved field");
  const algorithm = reader.name("a digest algorithm");
  const inner = reader.string("a signature");
  reader.finish("an SSH signature");
  if (namespace === "" || reserved.length > 0)
    return refuse("EBADMSG", RULE, "an empty namespace, or a reserved field that is not empty");
  // PROTOCOL.sshsig allows only these two
  if (algorithm !== "sha256" && algorithm !== "sha512")
    return refuse("ENOPKG", "algorithm allow-list", `digest \`${algorithm}\` in an SSH signature is not supported`);
  const signer = trust.find(key, namespace, window);
  if ("verdict" in signer) return signer;
  const digest = Buffer.from(hash(algorithm, data), "hex");
  const signed = [Buffer.from(MAGIC), ...[namespace, "", algorithm, digest].map(sshString)];
  const refusal = blockList.key(signer.key) ?? verifyInner(signer, Buffer.concat(signed), inner);
  return refusal ?? [{ name: signer.name, key: signer.key }];
}

const RULE = "PROTOCOL.sshsig";
const MAGIC = "SSHSIG";
/** PROTOCOL.u2f: the flag that says that the user touched the key. */
const USER_PRESENT = 0x01;

function verifyInner({ key, application, signatures, type }: SshSigner, signed: Buffer, inner: Buffer): Refusal | null {
  const reader = new SshReader(inner);
  const name = reader.name("a signature algorithm");
  const scheme = Object.hasOwn(signatures, name) ? signatures[name] : undefined;
  if (scheme === undefined)
    return refuse(
      "ENOPKG",
      "algorithm allow-list",
      `signature algorithm \`${name}\` of a key of type ${type} is not supported`,
    );
  const bytes = reader.string("a signature's bytes");
  const data = application === null ? signed : assertion(application, signed, reader);
  reader.finish("a signature's bytes");
  if ("verdict" in data) return data;
  return key.verify(scheme, data, scheme.family === "ec" ? ecdsaValue(bytes) : bytes, RULE);
}

/**
 * The data that a security key signs (PROTOCOL.u2f): the application's digest, flags, a counter, and the message's
 * digest.
 */
function assertion(application: string, signed: Buffer, reader: SshReader): Buffer | Refusal {
  const flags = reader.byte("flags");
  const counter = reader.take(4, "a counter");
  if ((flags & USER_PRESENT) === 0) return refuse("EKEYREJECTED", "PROTOCOL.u2f", "the security key was not touched");
  const sha256 = (bytes: Uint8Array) => Buffer.from(hash("sha256", bytes), "hex");
  return Buffer.concat([sha256(Buffer.from(application)), Buffer.of(flags), counter, sha256(signed)]);
}

/** RFC 5656 3.1.2: converts two mpints to the DER that OpenSSL expects. */
function ecdsaValue(bytes: Buffer): Buffer {
  const reader = new SshReader(bytes);
  const [r, s] = [reader.mpint("an integer"), reader.mpint("an integer")];
  reader.finish("an ECDSA signature");
  return sequence(integer(r), integer(s));
}

function unarmored(signature: Uint8Array): Buffer | null {
  const text = Buffer.from(signature).toString("latin1");
  const body = /^-----BEGIN SSH SIGNATURE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END SSH SIGNATURE-----\s*$/.exec(
    text,
  )?.[1];
  const base64 = body?.replace(/[\r\n]+/g, "") ?? "";
  const blob = Buffer.from(base64, "base64");
  return base64 !== "" && blob.toString("base64") === base64 ? blob : null;
}

/** Matches OpenSSH's patterns, of which namespaces need `*` and `?`. Backtracks to the last `*` only. */
function matches(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  let position = 0;
  while (position < name.length) {
    if (pattern[at] === "*") [star, mark, at] = [at, position, at + 1];
    else if (pattern[at] === "?" || pattern[at] === name[position]) [at, position] = [at + 1, position + 1];
    else if (star >= 0) [at, mark, position] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
