import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("container-lockdown", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open({ attachments: ["container-lockdown.js"], keyrings: ["platform"] });
  });
  afterAll(() => site.close());

  it("gives the same program another verdict in a container of tier edge", () => {
    expect(site.load("exec-log", { labels: { tier: "edge" } }).denied_by).toMatchObject({
      verdict: -ERRNO.ENODATA,
      reason: expect.stringContaining("a container of tier edge loads signed programs only"),
    });
    expect(site.load("exec-log", { labels: { tier: "dev" } }).verdict).toBe(0);
    expect(site.load("exec-log", { labels: {} }).verdict).toBe(0);
    expect(site.load("exec-log").verdict).toBe(0);
  });

  it("lets read-only programs into prod unsigned, and others signed", () => {
    const labels = { tier: "prod" };
    expect(site.load("exec-log", { labels }).verdict).toBe(0);
    expect(site.load("kill-writer", { labels }).denied_by).toMatchObject({
      verdict: -ERRNO.ENODATA,
      reason: expect.stringContaining("a container of tier prod signs what is not read-only"),
    });
    expect(site.load("kill-writer", { labels, signedBy: "platform" }).verdict).toBe(0);
  });

  it("says which kind of signature is wrong", () => {
    expect(site.load("exec-log", { labels: { tier: "edge" }, signedBy: "stranger" }).verdict).toBe(-ERRNO.ENOKEY);
  });

  it("holds labels that nobody could read like edge", () => {
    expect(site.load("exec-log", { labels: null }).verdict).toBe(-ERRNO.ENODATA);
    expect(site.load("exec-log", { labels: null, signedBy: "platform" }).verdict).toBe(0);
  });

  it("is not led astray by labels with names of the language", () => {
    for (const tier of ["constructor", "__proto__", "edge\u0000", "EDGE"])
      expect(site.load("kill-writer", { labels: { tier } }).verdict).toBe(0);
  });
});
