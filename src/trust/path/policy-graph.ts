import { ANY_POLICY } from "../asn1/oid.js";
import { type Effort, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";

/** The policy inputs of RFC 5280 6.1.1 (c), (e), (f), (g). */
export interface PolicyRules {
  /** Policies, by the contents octets of their identifiers, of which one must be valid for the path; null for any. */
  readonly acceptable: ReadonlySet<string> | null;
  /** Whether some policy must be valid for the whole path. */
  readonly requireExplicit: boolean;
  readonly inhibitMapping: boolean;
  readonly inhibitAny: boolean;
}

export const ANY_POLICIES: PolicyRules = {
  acceptable: null,
  requireExplicit: false,
  inhibitMapping: false,
  inhibitAny: false,
};

/**
 * Certificate policies of one path by RFC 5280 6.1, with the graph of RFC 9618, which has one node per policy and
 * depth. The tree of RFC 5280 can grow exponentially.
 */
export class PolicyState {
  /** Nodes by depth and policy; null once no policy is valid. */
  #levels: Map<string, Node>[] | null;
  #acceptable: PolicyRules["acceptable"];
  #explicit: number;
  #mapping: number;
  #any: number;

  /** RFC 5280 6.1.2 (a), (d), (e), (f). `length` is RFC 5280's n. */
  constructor(
    rules: PolicyRules,
    length: number,
    private readonly effort: Effort,
  ) {
    this.#levels = [new Map([[ANY_POLICY, { expected: new Set([ANY_POLICY]), parents: new Set() }]])];
    this.#acceptable = rules.acceptable;
    this.#explicit = rules.requireExplicit ? 0 : length + 1;
    this.#mapping = rules.inhibitMapping ? 0 : length + 1;
    this.#any = rules.inhibitAny ? 0 : length + 1;
  }

  /** RFC 5937 3.2, for the anchor: its policies limit the acceptable ones, and its constraints apply from it on. */
  constrain(anchor: Certificate): void {
    const { policies } = anchor;
    this.effort.charge("policies", policies?.size ?? 0);
    if (policies !== null && !policies.has(ANY_POLICY)) {
      const all = this.#acceptable === null || this.#acceptable.has(ANY_POLICY);
      this.#acceptable = all ? policies : new Set([...policies].filter((policy) => this.#acceptable!.has(policy)));
    }
    this.#limit(anchor);
  }

  /** RFC 5280 6.1.3 (d), (e), (f). */
  enter(certificate: Certificate, last: boolean): Refusal | null {
    const { policies } = certificate;
    if (policies === null) this.#levels = null;
    else if (this.#levels !== null) this.#grow(policies, this.#any > 0 || (!last && certificate.selfIssued));
    if (this.effort.spent) return tooMuch();
    if (this.#explicit > 0 || this.#levels !== null) return null;
    return noPolicy("RFC 5280 6.1.3 (f)", certificate);
  }

  /** RFC 5280 6.1.4 (a), (b), (h), (i), (j), for a certificate that issues the next one. */
  prepare(certificate: Certificate): Refusal | null {
    const { policyMappings: mappings } = certificate;
    if (!this.effort.charge("policies", mappings.length)) return tooMuch();
    if (mappings.some((pair) => pair.includes(ANY_POLICY)))
      return refuse("EKEYREJECTED", "RFC 5280 6.1.4 (a)", `certificate \`${certificate}\` maps anyPolicy`);
    if (mappings.length > 0 && this.#levels !== null) this.#map(mappings);
    if (!certificate.selfIssued) {
      if (this.#explicit > 0) this.#explicit -= 1;
      if (this.#mapping > 0) this.#mapping -= 1;
      if (this.#any > 0) this.#any -= 1;
    }
    this.#limit(certificate);
    return null;
  }

  /** RFC 5280 6.1.4 (i), (j). */
  #limit({ policyConstraints: constraints, inhibitAnyPolicy }: Certificate): void {
    this.#explicit = Math.min(this.#explicit, constraints?.requireExplicit ?? this.#explicit);
    this.#mapping = Math.min(this.#mapping, constraints?.inhibitMapping ?? this.#mapping);
    this.#any = Math.min(this.#any, inhibitAnyPolicy ?? this.#any);
  }

  /** RFC 5280 6.1.5 (a), (b), (g). */
  conclude(certificate: Certificate): Refusal | null {
    if (this.#explicit > 0) this.#explicit -= 1;
    if (certificate.policyConstraints?.requireExplicit === 0) this.#explicit = 0;
    return this.#explicit > 0 || this.policies.size > 0 ? null : noPolicy("RFC 5280 6.1.5 (g)", certificate);
  }

  /**
   * The acceptable policies that are valid for the whole path, named as in the trust anchor's domain (RFC 9618 5.6).
   */
  get policies(): ReadonlySet<string> {
    if (this.#levels === null) return new Set();
    for (const level of this.#levels) this.effort.charge("policies", level.size);
    const constrained = new Set<string>();
    for (let depth = 1; depth < this.#levels.length; depth++)
      for (const [policy, { parents }] of this.#levels[depth] as Map<string, Node>)
        if (policy !== ANY_POLICY && parents.has(ANY_POLICY)) constrained.add(policy);
    const any = this.#levels.at(-1)?.has(ANY_POLICY) === true;
    const acceptable = this.#acceptable;
    if (acceptable === null || acceptable.has(ANY_POLICY)) return any ? constrained.add(ANY_POLICY) : constrained;
    return any ? acceptable : new Set([...constrained].filter((policy) => acceptable.has(policy)));
  }

  /** RFC 9618 5.3, which replaces RFC 5280 6.1.3 (d). */
  #grow(policies: ReadonlySet<string>, anyCounts: boolean): void {
    const levels = this.#levels as Map<string, Node>[];
    const above = levels.at(-1) as Map<string, Node>;
    let size = policies.size;
    for (const { expected } of above.values()) size += expected.size;
    if (!this.effort.charge("policies", size)) return;
    const expecting = new Map<string, Set<string>>();
    for (const [policy, { expected }] of above)
      for (const wanted of expected) {
        const parents = expecting.get(wanted);
        if (parents === undefined) expecting.set(wanted, new Set([policy]));
        else parents.add(policy);
      }
    const level = new Map<string, Node>();
    for (const policy of policies) {
      if (policy === ANY_POLICY) continue;
      const parents = expecting.get(policy) ?? (above.has(ANY_POLICY) ? new Set([ANY_POLICY]) : null);
      if (parents !== null) level.set(policy, { expected: new Set([policy]), parents });
    }
    if (policies.has(ANY_POLICY) && anyCounts)
      for (const [policy, parents] of expecting)
        if (!level.has(policy)) level.set(policy, { expected: new Set([policy]), parents });
    levels.push(level);
    this.#prune();
  }

  /** RFC 9618 5.4, which replaces RFC 5280 6.1.4 (b). */
  #map(mappings: readonly (readonly [issuer: string, subject: string])[]): void {
    const levels = this.#levels as Map<string, Node>[];
    const level = levels.at(-1) as Map<string, Node>;
    const subjects = new Map<string, Set<string>>();
    for (const [issuer, subject] of mappings) subjects.set(issuer, (subjects.get(issuer) ?? new Set()).add(subject));
    for (const [issuer, expected] of subjects) {
      const node = level.get(issuer);
      const any = level.get(ANY_POLICY);
      if (this.#mapping === 0) level.delete(issuer);
      else if (node !== undefined) level.set(issuer, { ...node, expected });
      else if (any !== undefined) level.set(issuer, { expected, parents: new Set([ANY_POLICY]) });
    }
    this.#prune();
  }

  /** RFC 5280 6.1.3 (d)(3): removes nodes without children, from the bottom up. */
  #prune(): void {
    const levels = this.#levels as Map<string, Node>[];
    for (let depth = levels.length - 2; depth >= 0; depth--) {
      const used = new Set<string>();
      if (!this.effort.charge("policies", (levels[depth] as Map<string, Node>).size + 1)) return;
      for (const { parents } of (levels[depth + 1] as Map<string, Node>).values()) {
        this.effort.charge("policies", parents.size + 1);
        for (const parent of parents) used.add(parent);
      }
      for (const policy of (levels[depth] as Map<string, Node>).keys())
        if (!used.has(policy)) (levels[depth] as Map<string, Node>).delete(policy);
    }
    if (levels[0]?.size === 0 || levels.at(-1)?.size === 0) this.#levels = null;
  }
}

/** A policy at one depth: the names that the next certificate may use for it, and its parent policies one level up. */
interface Node {
  readonly expected: ReadonlySet<string>;
  readonly parents: ReadonlySet<string>;
}

function noPolicy(rule: string, certificate: Certificate): Refusal {
  return refuse("EKEYREJECTED", rule, `no required certificate policy is valid for the path to \`${certificate}\``);
}
