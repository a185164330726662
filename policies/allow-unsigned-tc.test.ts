import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("allow-unsigned-tc", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["allow-unsigned-tc.js"], keyrings: ["platform"] });
  });
  afterAll(() => site.close());

  it("lets an unsigned tc program through that minds its own packets", () => {
    expect(site.load("drop-telnet").verdict).toBe(0);
  });

  it("denies an unsigned tc program that reads kernel memory", () => {
    expect(site.load("peek-tc").denied_by).toMatchObject({
      verdict: -ERRNO.EPERM,
      code: "DENIED_BY_POLICY",
      reason: expect.stringContaining("reads kernel memory and is not signed"),
    });
  });

  it("denies an unsigned program of another type", () => {
    expect(site.load("exec-log").denied_by?.reason).toContain("only tc programs may be unsigned");
  });

  it.each(["peek-tc", "exec-log", "xdp-steer/send_on"])("lets %s through once it is signed", (name) => {
    expect(site.load(name, { signedBy: "platform" }).verdict).toBe(0);
  });

  it("treats a stranger's signature like none", () => {
    expect(site.load("peek-tc", { signedBy: "stranger" }).verdict).toBe(-ERRNO.EPERM);
    expect(site.load("drop-telnet", { signedBy: "stranger" }).verdict).toBe(0);
  });
});
