import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { program, Site } from "../test/support/site.js";

describe("optional-signature", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["optional-signature.js"], keyrings: ["platform", "vendor"] });
  });
  afterAll(() => site.close());

  it("lets an unsigned program through", () => {
    expect(site.load("exec-log").verdict).toBe(0);
  });

  it("lets a well-signed program through, by any signature or all of them", () => {
    for (const asking of [
      { signedBy: "platform" },
      { insnsSignedBy: "platform" },
      { kernelSignedBy: "platform" },
      { signedBy: "platform", insnsSignedBy: "platform", kernelSignedBy: "platform" },
    ])
      expect(site.load("exec-log", asking).verdict).toBe(0);
  });

  it("denies a signature that it does not deserve", () => {
    const signedInstead = program("kill-writer").insns;
    expect(site.load("exec-log", { signedBy: "stranger" }).verdict).toBe(-ERRNO.ENOKEY);
    expect(site.load("exec-log", { signedBy: "forged" }).verdict).toBe(-ERRNO.EKEYREJECTED);
    expect(site.load("exec-log", { insnsSignedBy: "stranger" }).verdict).toBe(-ERRNO.ENOKEY);
    expect(site.load("exec-log", { insnsSignedBy: "platform", signedInstead }).verdict).toBe(-ERRNO.EKEYREJECTED);
  });

  it("asks the keyring that the load names for the kernel", () => {
    const vendors = { kernelSignedBy: "vendor", kernelKeyring: "vendor" };
    expect(site.load("exec-log", vendors).verdict).toBe(0);
    expect(site.load("exec-log", { kernelSignedBy: "vendor" }).verdict).toBe(-ERRNO.ENOKEY);
    expect(site.load("exec-log", { ...vendors, kernelSignedBy: "platform" }).verdict).toBe(-ERRNO.ENOKEY);
  });

  it("does not let one good signature stand for a bad one", () => {
    for (const asking of [
      { signedBy: "platform", kernelSignedBy: "stranger" },
      { signedBy: "platform", insnsSignedBy: "stranger" },
      { signedBy: "stranger", insnsSignedBy: "platform" },
    ])
      expect(site.load("exec-log", asking).denied_by).toMatchObject({
        verdict: -ERRNO.ENOKEY,
        code: "SIGNATURE_INVALID",
      });
  });
});
