import { EXTENSION } from "../asn1/oid.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Certificate } from "./certificate.js";
import { type NameConstraints, readAlternativeNames, readNameConstraints } from "./extension.js";
import type { GeneralName } from "./general-name.js";

/** Comparisons on one path: an attacker chooses both how many names there are and how many constraints. */
const MAX_COMPARISONS = 10_000;

/** The names that a path still allows (RFC 5280 6.1.2 (b) and (c)). */
export class NameConstraintState {
  readonly #constraints: NameConstraints[] = [];
  #comparisons = 0;

  /** RFC 5280 6.1.4 (g). */
  add(certificate: Certificate): void {
    const constraints = certificate.read(EXTENSION.nameConstraints, readNameConstraints);
    if (constraints !== null) this.#constraints.push(constraints);
  }

  /** RFC 5280 6.1.3 (b) and (c): every name is in one permitted subtree of its form, if any, and in no excluded one. */
  check(certificate: Certificate): Refusal | null {
    if (this.#constraints.length === 0) return null;
    const names = namesOf(certificate);
    for (const { permitted, excluded } of this.#constraints)
      for (const name of names) {
        this.#comparisons += permitted.length + excluded.length + 1;
        if (this.#comparisons > MAX_COMPARISONS)
          return refuse("EKEYREJECTED", "name constraints limit", `more than ${MAX_COMPARISONS} names to compare`);
        const shown = `a name of \`${certificate}\``;
        if (excluded.some((subtree) => subtree.kind === name.kind && covers(subtree, name) !== "no"))
          return refuse(
            "EKEYREJECTED",
            "RFC 5280 6.1.3 (c)",
            `${shown} is excluded by an authority's name constraints`,
          );
        const wanted = permitted.filter((subtree) => subtree.kind === name.kind);
        if (wanted.length > 0 && !wanted.some((subtree) => covers(subtree, name) === "yes"))
          return refuse("EKEYREJECTED", "RFC 5280 6.1.3 (b)", `${shown} is outside an authority's name constraints`);
      }
    return null;
  }
}

/** The subject, its e-mail addresses, and the alternative names (RFC 5280 4.2.1.10). */
function namesOf(certificate: Certificate): readonly GeneralName[] {
  const { subject } = certificate;
  return [
    ...(subject.empty ? [] : [{ kind: "directory", value: subject } as const]),
    ...subject.emailAddresses.map((value) => ({ kind: "email", value }) as const),
    ...(certificate.read(EXTENSION.subjectAltName, readAlternativeNames) ?? []),
  ];
}

/** `unknown`: names that cannot be compared, which then are neither permitted nor safe from being excluded. */
type Coverage = "yes" | "no" | "unknown";

/** Whether a name lies in a subtree of the same kind. */
function covers(subtree: GeneralName, name: GeneralName): Coverage {
  if (subtree.kind === "directory" && name.kind === "directory") return said(name.value.within(subtree.value));
  if (subtree.kind === "ip" && name.kind === "ip") return addressIn(subtree.value, name.value);
  if (subtree.kind === "other" && name.kind === "other") return subtree.value.tag === name.value.tag ? "unknown" : "no";
  if (typeof subtree.value !== "string" || typeof name.value !== "string") return "unknown";
  return TEXT[subtree.kind as keyof typeof TEXT](subtree.value.toLowerCase(), name.value);
}

const TEXT: Readonly<Record<"email" | "dns" | "uri", (subtree: string, name: string) => Coverage>> = {
  /** A mailbox, a host, or with a dot before it any host below a domain. */
  email: (subtree, name) => {
    const at = name.lastIndexOf("@");
    if (at < 0) return "unknown";
    const host = name.slice(at + 1).toLowerCase();
    const local = subtree.lastIndexOf("@");
    if (local >= 0)
      return said(host === subtree.slice(local + 1) && name.slice(0, at).toLowerCase() === subtree.slice(0, local));
    return said(subtree === "" || hostIn(subtree, host));
  },
  /** The name itself and every name made by adding labels on its left. */
  dns: (subtree, name) => {
    const host = name.toLowerCase();
    if (subtree === "" || host === subtree) return "yes";
    return said(host.endsWith(subtree.startsWith(".") ? subtree : `.${subtree}`));
  },
  /** The host of a URI's authority; one without a host name cannot be compared. */
  uri: (subtree, name) => {
    const host = URI_HOST.exec(name)?.[1]?.toLowerCase();
    if (host === undefined || /^[\d.]+$/.test(host)) return "unknown";
    return said(subtree === "" || hostIn(subtree, host));
  },
};

const URI_HOST = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/?#]*@)?([^:/?#[\]]+)(?::\d*)?(?:[/?#]|$)/i;

function hostIn(subtree: string, host: string): boolean {
  return subtree.startsWith(".") ? host.endsWith(subtree) : host === subtree;
}

/** An address and a mask of the same length, of 4 or 16 octets each. */
function addressIn(subtree: Buffer, address: Buffer): Coverage {
  if (subtree.length !== 8 && subtree.length !== 32) return "unknown";
  const half = subtree.length / 2;
  if (address.length !== half) return "no";
  return said(
    address.every((octet, index) => ((octet ^ (subtree[index] as number)) & (subtree[half + index] as number)) === 0),
  );
}

function said(yes: boolean): Coverage {
  return yes ? "yes" : "no";
}
