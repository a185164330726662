import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("no-packet-redirect", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["no-packet-redirect.js"] });
  });
  afterAll(() => site.close());

  it("denies an XDP program that sends packets on", () => {
    expect(site.load("xdp-steer/send_on").denied_by).toMatchObject({
      verdict: -ERRNO.EPERM,
      attachment: "no-packet-redirect",
      reason: expect.stringContaining("may redirect packets"),
    });
  });

  it.each(["exec-log", "kill-writer", "switch-watch"])("lets %s through, which sees no packet", (name) => {
    expect(site.load(name).verdict).toBe(0);
  });
});
