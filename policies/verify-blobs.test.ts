import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

const firmware = Buffer.from("firmware 1.2");

describe("verify-blobs", () => {
  let site: Site;
  beforeAll(async () => {
    const maps = { container_policy: { dev: { require_signature: false }, edge: { require_signature: true } } };
    site = await Site.open({ attachments: ["verify-blobs.js"], keyrings: ["network"], maps });
  });
  afterAll(() => site.close());

  it("lets a blob through that the network's key signed", () => {
    expect(site.verify(firmware, { signedBy: "network" }).verdict).toBe(0);
  });

  it("denies a blob without a signature, and one that was changed after it", () => {
    expect(site.verify(firmware).verdict).toBe(-ERRNO.ENODATA);
    const signed = { signedBy: "network", signedInstead: Buffer.from("firmware 1.1") };
    expect(site.verify(firmware, signed).verdict).toBe(-ERRNO.EKEYREJECTED);
  });

  it("excuses the tiers that the map excuses, and no other", () => {
    expect(site.verify(firmware, { labels: { tier: "dev" } }).verdict).toBe(0);
    for (const labels of [{ tier: "edge" }, { tier: "unheard-of" }, {}])
      expect(site.verify(firmware, { labels }).verdict).toBe(-ERRNO.ENODATA);
  });

  it("excuses nobody where labels could not be read", () => {
    expect(site.verify(firmware, { labels: null }).verdict).toBe(-ERRNO.ENODATA);
    expect(site.verify(firmware, { labels: null, signedBy: "network" }).verdict).toBe(0);
  });
});
