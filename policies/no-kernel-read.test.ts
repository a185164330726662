import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("no-kernel-read", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["no-kernel-read.js"], keyrings: ["platform"] });
  });
  afterAll(() => site.close());

  it.each(["peek-tc", "exec-guard/watch"])("denies %s, which reads kernel memory", (name) => {
    expect(site.load(name).denied_by).toMatchObject({
      verdict: -ERRNO.EPERM,
      attachment: "no-kernel-read",
      reason: expect.stringContaining("may read kernel memory"),
    });
  });

  it("denies it signed, too", () => {
    expect(site.load("peek-tc", { signedBy: "platform" }).verdict).toBe(-ERRNO.EPERM);
  });

  it.each(["drop-telnet", "exec-log", "kill-writer"])("lets %s through, which reads none", (name) => {
    expect(site.load(name).verdict).toBe(0);
  });
});
