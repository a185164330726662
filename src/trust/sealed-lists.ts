import { CountersignError } from "../error.js";
import { hash } from "./base/digest.js";
import type { KeyringRules, SourceFile } from "./model/keyring-rules.js";
import { readMaterial } from "./source/source.js";
import type { Certificate } from "./x509/certificate.js";
import { CertificateIndex } from "./x509/certificate-index.js";
import type { Crl } from "./x509/crl.js";
import { KEY_USAGE } from "./x509/extension.js";

/** A CRL with its file. */
interface Held {
  readonly crl: Crl;
  readonly file: SourceFile;
}

/**
 * The result for an offered list: it is accepted, it waits for a signature that carries its issuer's certificate, or
 * the reason why it is rejected.
 */
type ListState = "taken" | "waits" | string;

/**
 * The rules of a sealed keyring. Anchors, rules and the block list never change. A CRL is signed, so its file need not
 * be trusted: a list is accepted if a list with the same issuer and scope is held, its number is higher, and its
 * signature is valid. The lists that were sealed are never dropped. A list that was accepted later is dropped only when
 * a newer one of the same issuer, scope and key is accepted and is current.
 */
export class SealedLists {
  /** Incremented by each change of {@link rules}. */
  version = 0;
  #rules: KeyringRules;
  #held: Held[] | null = null;
  #signers: CertificateIndex | null = null;
  #waiting: readonly Held[] = [];

  constructor(rules: KeyringRules) {
    this.#rules = rules;
  }

  /** The current rules, as plain data that can be sent to another thread. */
  get rules(): KeyringRules {
    return this.#rules;
  }

  /** {@link rules}, with the lists that wait for their issuer's certificate. */
  get asked(): KeyringRules {
    if (this.#waiting.length === 0) return this.#rules;
    const unconfirmed = this.#waiting.map((held) => ({ file: held.file, confirm: () => this.#confirm(held) }));
    return { ...this.#rules, revoked: { ...this.#rules.revoked, unconfirmed } };
  }

  /** Adds the lists that another thread accepted under the same sealed rules. Returns whether any of them was new. */
  adopt({ revoked: { newer = [] } }: KeyringRules): boolean {
    const known = new Set(this.#rules.revoked.newer?.map(digestOf));
    const fresh = newer.filter((file) => !known.has(digestOf(file)));
    for (const held of fresh.flatMap(readLists)) this.#take(held);
    return fresh.length > 0;
  }

  /**
   * Accepts newer lists from the current contents of the files. `changed`: {@link asked} has changed. `rejected`: why
   * lists in the files were rejected, and which lists in use are missing in the files.
   */
  offer(files: readonly SourceFile[]): { readonly changed: boolean; readonly rejected: readonly string[] } {
    const before = { version: this.version, waiting: this.#waiting.map(({ file }) => digestOf(file)).join() };
    const rejected: string[] = [];
    const offered = files.flatMap((file) => {
      try {
        return readLists(file);
      } catch (error) {
        rejected.push(`\`${file.path}\`: ${error instanceof CountersignError ? error.message : String(error)}`);
        return [];
      }
    });
    const waiting: Held[] = [];
    for (const held of offered) {
      const state = this.#judge(held);
      if (state === "taken") this.#take(held);
      else if (state === "waits") waiting.push(held);
      else if (state !== KNOWN) rejected.push(`${held.crl} in \`${held.file.path}\` is rejected: ${state}`);
    }
    this.#waiting = waiting.slice(0, MOST_WAITING);
    const waits = this.#waiting.map(({ file }) => digestOf(file)).join();
    for (const { crl } of this.#lists)
      if (!offered.some((one) => isOfKind(one.crl, crl)))
        rejected.push(`${crl} is missing in the files, and stays in force`);
    return { changed: this.version !== before.version || waits !== before.waiting, rejected };
  }

  #judge({ crl, file }: Held): ListState {
    const digest = digestOf(file);
    if (this.#lists.some((held) => digestOf(held.file) === digest)) return KNOWN;
    const rivals = this.#lists.map((held) => held.crl).filter((held) => isOfScope(held, crl));
    if (rivals.length === 0) return "no list of its issuer and scope is sealed";
    if (crl.unusable) return "it has an unknown critical extension";
    // RFC 5280 5.2.3: complete and delta CRLs of one scope share one sequence of numbers, and a complete and a delta
    // CRL may have the same number
    const compared = crl.baseNumber === null ? rivals.filter(({ baseNumber }) => baseNumber === null) : rivals;
    const least = compared.reduce((most, { number }) => (number !== null && number > most ? number : most), -1n);
    if (crl.number === null) return "it has no number";
    if (crl.number <= least) return `its number ${crl.number} is not higher than ${least}`;
    this.#signers ??= new CertificateIndex(signersIn(this.#rules));
    const signers = this.#signers.bySubject(crl.issuer);
    if (signers.length === 0) return "waits";
    return signers.some((signer) => maySign(signer) && crl.signedBy(signer.publicKey) === null)
      ? "taken"
      : "its signature is not valid";
  }

  /** Called when a signature carried the certificate of the list's issuer and that certificate verified the list. */
  #confirm(held: Held): void {
    this.#waiting = this.#waiting.filter((one) => one !== held);
    if (this.#judge(held) === "waits") this.#take(held);
  }

  #take({ crl, file }: Held): void {
    const { revoked } = this.#rules;
    const newer = this.#lists.filter((held) => revoked.newer?.includes(held.file));
    // A list that is not current yet replaces none: until then the other is the newest current one
    const isInTime = crl.thisUpdate <= Date.now();
    const kept = newer.filter((held) => !(isInTime && isOfKind(held.crl, crl) && held.crl.number! < crl.number!));
    const replaced = new Set(newer.filter((held) => !kept.includes(held)));
    this.#held = [...this.#lists.filter((held) => !replaced.has(held)), { crl, file }];
    this.#rules = {
      ...this.#rules,
      revoked: { ...revoked, newer: [...kept.map((held) => held.file), file] },
    };
    this.version += 1;
  }

  get #lists(): readonly Held[] {
    const { crls, newer = [] } = this.#rules.revoked;
    this.#held ??= [...crls.flatMap(readLists), ...newer.map((file) => ({ crl: readLists(file)[0]!.crl, file }))];
    return this.#held;
  }
}

/** ListState of a list that is in use already. */
const KNOWN = "";

/** The most lists that may wait. Waiting lists are not verified yet, so an attacker may have written them. */
const MOST_WAITING = 16;

/** The lists of a file, each as a file of its own in DER. Throws as {@link readMaterial}. */
function readLists(file: SourceFile): Held[] {
  return readMaterial([file], "crls").crls.map((crl) => ({ crl, file: { path: file.path, bytes: crl.der } }));
}

/** Certificates in the sealed files that may have issued a CRL. */
function signersIn({ trust, revoked, timestamps }: KeyringRules): readonly Certificate[] {
  const anchors = [...trust, ...(timestamps?.trust ?? [])];
  return [...readMaterial(anchors, "anchors").certificates, ...readMaterial(revoked.crls, "crls").certificates];
}

function maySign({ keyUsage }: Certificate): boolean {
  return keyUsage === null || (keyUsage & KEY_USAGE.crlSign) !== 0;
}

function isOfScope(one: Crl, other: Crl): boolean {
  return one.issuer.equals(other.issuer) && one.scope?.key === other.scope?.key;
}

/** Both complete or both deltas, with the same scope and the same authority key identifier. */
function isOfKind(one: Crl, other: Crl): boolean {
  return (
    isOfScope(one, other) &&
    (one.baseNumber === null) === (other.baseNumber === null) &&
    one.authorityKeyIdentifier === other.authorityKeyIdentifier
  );
}

function digestOf({ bytes }: SourceFile): string {
  return hash("sha256", bytes);
}
