import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../../src/errno.js";
import { Site } from "../support/site.js";

/**
 * The policies that the project was begun with, and the first two as the design has them since there are statements, to
 * the letter: whatever changes, they must run as they stand here.
 */
const VERIFY_ALL = `\
// policies/verify-all.js: John's one-liner
import { verify_signature, PKCS7 } from "countersign";
export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", PKCS7);
`;

const ALLOW_UNSIGNED_TC = `\
// policies/allow-unsigned-tc.js
import { verify_signature, deny, PKCS7 } from "countersign";
export function bpf_prog_load(prog) {
  if (verify_signature(prog.insns, prog.signature, "platform", PKCS7) === 0) return 0;
  if (prog.effects.reads_kernel_memory) return deny("reads kernel memory and is not signed");
  return prog.type === "sched_cls" ? 0 : deny("only tc programs may be unsigned");
}
`;

const VERIFY_PROGRAMS = `\
// policies/verify-all.js: one line, as in the mail thread
import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "platform");
`;

const ALLOW_UNSTATED_TC = `\
// policies/allow-unsigned-tc.js
import { deny, verify_program } from "countersign";
export function bpf_prog_load(prog) {
  if (verify_program(prog, "platform") === 0) return 0;
  if (prog.effects.reads_kernel_memory) return deny("reads kernel memory and is not signed");
  return prog.type === "sched_cls" ? 0 : deny("only tc programs may be unsigned");
}
`;

const VERIFY_BLOBS = `\
// policies/verify-blobs.js: any blob, with a rule looked up for whoever asks
import { verify_signature, map_lookup, PKCS7 } from "countersign";
export function blob_verify(blob, current) {
  const reject = verify_signature(blob.data, blob.signature, "network", PKCS7);
  const rule = map_lookup("container_policy", current.container?.labels.tier ?? "");
  return rule?.require_signature === false ? 0 : reject;
}
`;

describe("the policies of the design", () => {
  const sites: Site[] = [];
  const open = async (text: string) => {
    const site = await Site.open({
      attachments: ["own/policy.js"],
      keyrings: ["platform", "network"],
      maps: { container_policy: { dev: { require_signature: false }, edge: { require_signature: true } } },
      files: { "own/policy.js": text },
    });
    sites.push(site);
    return site;
  };
  afterAll(() => {
    for (const site of sites) site.close();
  });

  describe.each([
    ["instructions", VERIFY_ALL, "insnsSignedBy"],
    ["a statement", VERIFY_PROGRAMS, "signedBy"],
  ])("verify-all, by a signature over %s", (_, text, by) => {
    let site: Site;
    beforeAll(async () => {
      site = await open(text);
    });

    it("takes what is signed and refuses what is not", () => {
      expect(site.load("exec-log", { [by]: "platform" }).verdict).toBe(0);
      expect(site.load("exec-log").verdict).toBe(-ERRNO.ENODATA);
      expect(site.load("exec-log", { [by]: "stranger" }).verdict).toBe(-ERRNO.ENOKEY);
    });
  });

  describe.each([
    ["instructions", ALLOW_UNSIGNED_TC, "insnsSignedBy"],
    ["a statement", ALLOW_UNSTATED_TC, "signedBy"],
  ])("allow-unsigned-tc, by a signature over %s", (_, text, by) => {
    let site: Site;
    beforeAll(async () => {
      site = await open(text);
    });

    it("takes what is signed, and unsigned tc programs that keep out of kernel memory", () => {
      expect(site.load("peek-tc", { [by]: "platform" }).verdict).toBe(0);
      expect(site.load("drop-telnet").verdict).toBe(0);
    });

    it("refuses the others with its own words", () => {
      const reason = (name: string) => site.load(name).denied_by?.reason;
      expect(reason("peek-tc")).toContain("reads kernel memory and is not signed");
      expect(reason("exec-log")).toContain("only tc programs may be unsigned");
    });
  });

  describe("verify-blobs", () => {
    let site: Site;
    beforeAll(async () => {
      site = await open(VERIFY_BLOBS);
    });

    it("looks up a rule for whoever asks", () => {
      const blob = Buffer.from("routes");
      expect(site.verify(blob, { signedBy: "network" }).verdict).toBe(0);
      expect(site.verify(blob).verdict).toBe(-ERRNO.ENODATA);
      expect(site.verify(blob, { labels: { tier: "dev" } }).verdict).toBe(0);
      expect(site.verify(blob, { labels: { tier: "edge" } }).verdict).toBe(-ERRNO.ENODATA);
      expect(site.verify(blob, { labels: { tier: "dev" }, signedBy: "stranger" }).verdict).toBe(0);
    });
  });
});
