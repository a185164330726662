import { afterEach, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("debug-read-only", () => {
  let site: Site;
  const open = async (contents: object) => {
    site = await Site.open({ attachments: ["debug-read-only.js"], maps: { debug_read_only: contents } });
  };
  afterEach(() => site.close());

  it("lets the account for debugging load what only looks", async () => {
    await open({ uid: 1000 });
    expect(site.load("exec-log", { current: { uid: 1000 } }).verdict).toBe(0);
  });

  it("denies it what acts, and shows where it does", async () => {
    await open({ uid: 1000 });
    const { denied_by } = site.load("kill-writer", { current: { uid: 1000 } });
    expect(denied_by).toMatchObject({ verdict: -ERRNO.EPERM, code: "DENIED_BY_POLICY" });
    expect(denied_by?.reason).toMatch(
      /uid 1000 may load read-only programs only \(sends_signal: calls `bpf_send_signal` at .*; tail_calls: /,
    );
  });

  it("leaves other accounts to other policies", async () => {
    await open({ uid: 1000 });
    expect(site.load("kill-writer", { current: { uid: 1001 } }).verdict).toBe(0);
    expect(site.load("kill-writer").verdict).toBe(0);
  });

  it.each([{}, { uid: "1000" }, { uid: null }])("holds every account to it where the map says %j", async (contents) => {
    await open(contents);
    expect(site.load("kill-writer").verdict).toBe(-ERRNO.EPERM);
    expect(site.load("exec-log").verdict).toBe(0);
  });
});
