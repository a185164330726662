import { type Effort, PER_UNIT, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";
import type { NameConstraints } from "../x509/extension.js";
import { costOfMatching, type GeneralName } from "../x509/general-name.js";
import type { Comparison } from "../x509/name.js";
import { coversAddress, coversHost, coversMailbox, coversUri } from "../x509/name-subtree.js";

/** The name constraints that apply at one point of a path (RFC 5280 6.1.2 (b) and (c)). */
export class NameConstraintState {
  readonly #constraints: Constraints[] = [];

  constructor(private readonly effort: Effort) {}

  /** RFC 5280 6.1.4 (g). */
  add(certificate: Certificate): void {
    const constraints = certificate.nameConstraints;
    if (constraints === null) return;
    const subtrees = [...constraints.permitted, ...constraints.excluded];
    // Nothing is prepared if that exceeds the limit
    if (!this.effort.take(preparation(subtrees))) return;
    const matching = subtrees.reduce((sum, name) => sum + costOfMatching(name), 0);
    this.#constraints.push({ ...constraints, matching });
  }

  /**
   * RFC 5280 6.1.3 (b) and (c): each name must lie in a permitted subtree of its form, if there are any, and in no
   * excluded one. A name that cannot be compared with a subtree counts as not permitted and as excluded.
   */
  check(certificate: Certificate): Refusal | null {
    if (this.effort.spent) return tooMuch();
    if (this.#constraints.length === 0) return null;
    const names = namesOf(certificate);
    if (!this.effort.take(preparation(names))) return tooMuch();
    for (const { permitted, excluded, matching } of this.#constraints)
      for (const name of names) {
        const pairs = permitted.length + excluded.length;
        const cost = pairs * (1 / PER_UNIT.pairs + costOfMatching(name)) + matching;
        if (!this.effort.take(cost)) return tooMuch();
        const shown = `a name of \`${certificate}\``;
        for (const subtree of excluded) {
          const within = covers(subtree, name);
          if (within === "no" || within === null) continue;
          const why = within === "yes" ? "is excluded by" : "cannot be compared with what is excluded by";
          return refuse("EKEYREJECTED", "RFC 5280 6.1.3 (c)", `${shown} ${why} an authority's name constraints`);
        }
        const wanted = permitted.map((subtree) => covers(subtree, name)).filter((within) => within !== null);
        if (wanted.length === 0 || wanted.includes("yes")) continue;
        const why = wanted.includes("unknown") ? "cannot be compared with" : "is outside";
        return refuse("EKEYREJECTED", "RFC 5280 6.1.3 (b)", `${shown} ${why} an authority's name constraints`);
      }
    return null;
  }
}

interface Constraints extends NameConstraints {
  /** The sum of `costOfMatching` of all subtrees. */
  readonly matching: number;
}

/** Units for what is done with each name once: a directory name is prepared, before it is compared. */
function preparation(names: readonly GeneralName[]): number {
  return names.reduce((sum, name) => sum + (name.kind === "directory" ? name.value.cost : 1), 0);
}

/**
 * The names that constraints apply to: the subject, its e-mail addresses, and the alternative names (RFC 5280
 * 4.2.1.10).
 */
function namesOf(certificate: Certificate): readonly GeneralName[] {
  const { subject } = certificate;
  return [
    ...(subject.empty ? [] : [{ kind: "directory", value: subject } as const]),
    ...subject.emailAddresses.map((value) => ({ kind: "email", value }) as const),
    ...certificate.subjectAltNames,
  ];
}

/** Whether a name lies in a subtree; null if the subtree has another form and does not constrain the name. */
function covers(subtree: GeneralName, name: GeneralName): Comparison | null {
  switch (subtree.kind) {
    case "directory":
      return name.kind === "directory" ? name.value.within(subtree.value) : null;
    case "email":
      // RFC 9598 6: constraints on mailboxes apply to both forms
      return name.kind === "email" || name.kind === "mailbox" ? coversMailbox(subtree.value, name.value) : null;
    case "dns":
      return name.kind === "dns" ? coversHost(subtree.value, name.value) : null;
    case "uri":
      return name.kind === "uri" ? coversUri(subtree.value, name.value) : null;
    case "ip":
      return name.kind === "ip" ? coversAddress(subtree.value, name.value) : null;
    default:
      // RFC 5280 4.2.1.10: constraints on a form that is not supported
      return subtree.form === ("form" in name ? name.form : null) ? "unknown" : null;
  }
}
