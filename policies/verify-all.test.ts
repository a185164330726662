import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("verify-all", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["verify-all.js"], keyrings: ["platform", "network"] });
  });
  afterAll(() => site.close());

  it("lets a program through that the platform signed", () => {
    expect(site.load("drop-telnet", { signedBy: "platform" })).toMatchObject({ verdict: 0, denied_by: null });
  });

  it.each([
    ["has no signature", {}, "ENODATA"],
    ["was signed by nobody known", { signedBy: "stranger" }, "ENOKEY"],
    ["was signed by a key of another keyring", { signedBy: "network" }, "ENOKEY"],
    ["has the signature of another program", { signedBy: "forged" }, "EKEYREJECTED"],
    ["was signed before relocation", { insnsSignedBy: "platform" }, "ENODATA"],
  ] as const)("denies a program that %s", (_, asking, errno) => {
    const { verdict, denied_by } = site.load("drop-telnet", asking);
    expect(verdict).toBe(-ERRNO[errno]);
    expect(denied_by).toMatchObject({ attachment: "verify-all", code: "SIGNATURE_INVALID" });
    expect(denied_by?.reason).toContain(`verify_program platform: -${errno}`);
  });
});
