/** Certificates of policies, compared with what the engine answers for inputs drawn by chance. */
import { expect } from "vitest";
import { CountersignError } from "../../src/error.js";
import { DefinedExploration } from "../../src/prove/certificate/defined-exploration.js";
import { CheckedPolicies } from "../../src/prove/check/checked-policies.js";
import { attachmentAt } from "../../src/prove/check/examined.js";
import type { Symbols } from "../../src/prove/check/path.js";
import { TableChecker } from "../../src/prove/check/table-checker.js";
import { hasUnknown } from "../../src/prove/shared/atom.js";
import type { CertifiedTable, End, Tree } from "../../src/prove/shared/certificate.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";
import { CertifiedFolder } from "./certificates.js";
import { ExploredPolicy, randomInput } from "./prove.js";

/** A tree that the checker accepts, and what its symbols are. */
export interface CertifiedPolicy {
  readonly text: string;
  readonly tree: Tree;
  readonly symbols: Symbols;
}

/** The certificate of a policy at `bpf_prog_load`. Throws PROOF_UNSUPPORTED if none can be made. */
export function certifiedPolicy(text: string): CertifiedPolicy {
  const folder = new CertifiedFolder("policy.js", text);
  try {
    const certificate = folder.make();
    folder.check(JSON.stringify(certificate));
    const policies = new CheckedPolicies(folder.config, certificate.maps);
    try {
      const [{ tree }] = certificate.tables as [CertifiedTable];
      const checker = new TableChecker(attachmentAt("bpf_prog_load", policies, policies.placed[0]!), policies.names);
      checker.check(tree, "");
      return { text, tree, symbols: checker.path([]).symbols };
    } finally {
      policies.close();
    }
  } finally {
    folder.remove();
  }
}

/** The same; null if none can be made, or the policy is wrong. */
export function certifiedIfPossible(text: string): CertifiedPolicy | null {
  try {
    return certifiedPolicy(text);
  } catch (error) {
    const isUnsupported = error instanceof CountersignError && /^(?:PROOF_UNSUPPORTED|POLICY_)/.test(error.code);
    if (!isUnsupported) expect.fail(`${text}\n${error}`);
    return null;
  }
}

/** The end of the path that an input takes through a certificate's tree. */
function endOf(tree: Tree, values: SymbolValues): End {
  if ("end" in tree) return tree.end;
  const side = values.satisfy([{ atom: tree.if, is: true }]) ? tree.yes : tree.no;
  if ("refuted" in side) throw new Error(`an input takes a side that is refuted: ${JSON.stringify(tree.if)}`);
  return endOf(side, values);
}

/** Fails unless the engine answers each input as the certificate says. */
export function compareInputs(
  { text, tree, symbols }: CertifiedPolicy,
  next: (below: number) => number,
  inputs: number,
): void {
  const policy = ExploredPolicy.of(text);
  const defined = new DefinedExploration(policy.explore("bpf_prog_load"), symbols);
  defined.define();
  for (let drawn = 0; drawn < inputs; drawn++) {
    const input = randomInput(defined.its, next);
    const values = new SymbolValues(input, defined.its.knowledge);
    const end = endOf(tree, values);
    if ("holds" in end) throw new Error("a policy is no property");
    const { verdict, reason, fault } = policy.ask("bpf_prog_load", input);
    const expected = [
      end.verdict === null || typeof end.verdict === "number" ? end.verdict : values.number(end.verdict),
      end.reason && (hasUnknown(end.reason) ? reason : values.text(end.reason)),
      end.fault,
    ];
    expect([verdict, reason, fault?.code ?? null], text).toEqual(expected);
  }
  policy.close();
}
