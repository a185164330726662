import { afterAll, describe, expect, it } from "vitest";
import { CheckedPolicies } from "../../src/prove/check/checked-policies.js";
import { digestsOf } from "../../src/prove/check/digests.js";
import { attachmentAt } from "../../src/prove/check/examined.js";
import { CertifiedFolder } from "../support/certificates.js";

const POLICY = `import { deny } from "countersign";
const NETWORK = new Set(["xdp", "sched_cls"]);
function verdictOf(type, uid) {
  let lost = 0;
  switch (type) {
    case "lsm":
      return deny("no LSM programs");
    default:
      lost = 1;
    case "kprobe":
      if (uid === 0) break;
      return -13 - lost;
    case "tracing": {
      const lost = 7;
      return -lost;
    }
  }
  return NETWORK.has(type) ? -22 : -lost;
}
export const bpf_prog_load = ({ type }, { uid }) => verdictOf(type, uid);
`;

/** Other texts of the policy, for which its decision table is wrong. */
const OTHERS: Readonly<Record<string, readonly [from: string, to: string]>> = {
  "a set with another value": ['"sched_cls"]', '"sched_act"]'],
  "a set with one value more": ['"sched_cls"]', '"sched_cls", "sk_skb"]'],
  "a set with one value less": [', "sched_cls"]', "]"],
  "another case": ['case "kprobe"', 'case "kprobes"'],
  "one case less": ['case "kprobe":', ""],
  "two cases that are exchanged": ['case "lsm":', 'case "tracing":'],
  "one case more": ['case "lsm":', 'case "lsm": case "netfilter":'],
  "a default that ends the switch": ["lost = 1;", "lost = 1; break;"],
  "a case that goes on": ["if (uid === 0) break;", "if (uid === 0);"],
  "a switch over another value": ["switch (type)", 'switch (uid === 0 ? "lsm" : type)'],
};

const folderOf = (text: string) => new CertifiedFolder("policy.js", text);
const folder = folderOf(POLICY);
const certificate = folder.make();
afterAll(() => folder.remove());

it("the policy is certified", () => expect(folder.check(JSON.stringify(certificate))).toHaveLength(2));

/** The certificate with its tree as one of another policy. */
function forgedFor(other: CertifiedFolder): string {
  const policies = new CheckedPolicies(other.config);
  const { stated } = attachmentAt("bpf_prog_load", policies, policies.placed[0]!);
  policies.close();
  const tables = [{ ...stated, tree: certificate.tables[0]!.tree }];
  return JSON.stringify({ ...certificate, digests: digestsOf(other.config.file), tables });
}

describe.each(Object.entries(OTHERS))("a policy with %s", (_, [from, to]) => {
  it("is not what was certified: the certificate is rejected, and so is one that says it is about this policy", () => {
    expect(POLICY.split(from)).toHaveLength(2);
    const other = folderOf(POLICY.replace(from, to));
    expect(() => other.check(JSON.stringify(certificate))).toThrow(expect.objectContaining({ code: "PROOF_OUTDATED" }));
    const code = expect.stringMatching(/^PROOF_(?:TREE|ANSWER|WITNESS|REFUTATION)_WRONG$/);
    expect(() => other.check(forgedFor(other))).toThrow(expect.objectContaining({ code }));
    other.remove();
  });
});
