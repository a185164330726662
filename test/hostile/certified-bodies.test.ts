// @module-tag deep
import { describe, expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { CertifiedFolder } from "../support/certificates.js";
import { HOSTILE_BODIES } from "../support/hostile-bodies.js";

const HELPERS = ["deny", "map_lookup", "verify_program", "verify_signature"];
/** A policy that the linker rejects, or that the checker does not evaluate, has no certificate. */
const OUTCOMES = /^(?:accepted|POLICY_\w+|PROOF_UNSUPPORTED)$/;

/**
 * What becomes of the certificate of a hook with this body: `accepted`, or an error's code. If explorer and checker do
 * not mean the same by a text, that is PROOF_TREE_WRONG, PROOF_WITNESS_WRONG or PROOF_REFUTATION_WRONG.
 */
function outcomeFor(body: string): string {
  // The checker evaluates no namespace, so that only these are imported
  const used = HELPERS.filter((helper) => body.includes(helper));
  const names = body.includes("cs.") ? "* as cs" : `{ ${used.join(", ")} }`;
  const text = `import ${names} from "countersign";\nexport function bpf_prog_load(prog, current) { ${body} }`;
  const folder = new CertifiedFolder("policy.js", text);
  try {
    folder.check(JSON.stringify(folder.make()));
    return "accepted";
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  } finally {
    folder.remove();
  }
}

describe("a policy that tries to deceive the explorer", () => {
  let accepted = 0;

  it.each(Object.entries(HOSTILE_BODIES))("means the same to the checker, or gets no certificate: %s", (_, body) => {
    const outcome = outcomeFor(body);
    expect(outcome).toMatch(OUTCOMES);
    accepted += outcome === "accepted" ? 1 : 0;
  });

  it("gets a certificate in some cases", () => expect(accepted).toBeGreaterThan(10));
});
