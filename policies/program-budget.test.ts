import { afterEach, describe, expect, it } from "vitest";
import { ERRNO } from "../src/errno.js";
import { Site } from "../test/support/site.js";

describe("program-budget", () => {
  let site: Site;
  const open = async (budget: object) => {
    site = await Site.open({ attachments: ["program-budget.ts"], maps: { program_budget: budget } });
  };
  afterEach(() => site.close());

  it.each(["drop-telnet", "exec-log", "rate-limit/limit", "xdp-steer/count"])(
    "has room for %s unless told otherwise",
    { tags: ["deep"] },
    async (name) => {
      await open({});
      expect(site.load(name).verdict).toBe(0);
    },
  );

  it.each([
    ["drop-telnet", { insns: 21 }, "insns is 22, more than the budget of 21"],
    ["exec-log", { helpers: 5 }, "helpers is 6, more than the budget of 5"],
    // a hash of 1024 entries: 8 and 8 bytes, an element's 48 and a bucket's 16
    ["peek-tc", { map_memory: 81919 }, "map_memory is 81920, more than the budget of 81919"],
    // a ring buffer of 64 KiB with its three pages, and .rodata
    ["exec-log", { map_memory: 77831 }, "map_memory is 77832, more than the budget of 77831"],
    // a pointer, and one value of 8 bytes for each of 1000 CPUs
    ["xdp-steer/count", { map_memory: 8007, cpus: 1000 }, "map_memory is 8008, more than the budget of 8007"],
  ])("denies %s with the budget %j", async (name, budget, reason) => {
    await open(budget);
    const { denied_by } = site.load(name);
    expect(denied_by).toMatchObject({ verdict: -ERRNO.EPERM, attachment: "program-budget", code: "DENIED_BY_POLICY" });
    expect(denied_by?.reason).toContain(reason);
  });

  it.each([
    [{}, 100_000, 100_001],
    [{ verified_insns: 7 }, 7, 8],
  ])("bounds the verifier's work when a program is handed out: %j", async (budget, most, more) => {
    await open(budget);
    expect(site.handOut("exec-log", { verified_insns: most }).verdict).toBe(0);
    const { denied_by } = site.handOut("exec-log", { verified_insns: more });
    expect(denied_by).toMatchObject({ verdict: -ERRNO.EPERM, attachment: "program-budget", code: "DENIED_BY_POLICY" });
    expect(denied_by?.reason).toContain(`verified_insns is ${more}, more than the budget of ${most}`);
  });

  it("has no opinion of the verifier's work where no kernel reports it", async () => {
    await open({ verified_insns: 0 });
    expect(site.handOut("exec-log", null).verdict).toBe(0);
    expect(site.load("exec-log").verdict).toBe(0);
  });

  it("denies a loaded program where the budget is no number", async () => {
    await open({ verified_insns: "many" });
    expect(site.handOut("exec-log", { verified_insns: 1 }).verdict).toBe(-ERRNO.EPERM);
  });

  it("takes what meets the budget exactly", async () => {
    await open({ insns: 22, helpers: 0, map_memory: 0 });
    expect(site.load("drop-telnet").verdict).toBe(0);
  });

  it("denies where the budget is no number", async () => {
    await open({ insns: "many" });
    expect(site.load("drop-telnet").verdict).toBe(-ERRNO.EPERM);
  });
});
