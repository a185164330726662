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
    async (name) => {
      await open({});
      expect(site.load(name).verdict).toBe(0);
    },
  );

  it.each([
    ["drop-telnet", { insns: 21 }, "insns is 22, more than the budget of 21"],
    ["exec-log", { helpers: 5 }, "helpers is 6, more than the budget of 5"],
    // 1024 entries of 8 and 8 bytes
    ["peek-tc", { map_memory: 16383 }, "map_memory is 16384, more than the budget of 16383"],
    // a ring buffer of 64 KiB, and .rodata
    ["exec-log", { map_memory: 65536 }, "map_memory is 65552, more than the budget of 65536"],
    // one entry of 4 and 8 bytes, filled up, for each of 1000 CPUs
    ["xdp-steer/count", { map_memory: 15999, cpus: 1000 }, "map_memory is 16000, more than the budget of 15999"],
  ])("refuses %s with the budget %j", async (name, budget, reason) => {
    await open(budget);
    const { refusal } = site.load(name);
    expect(refusal).toMatchObject({ verdict: -ERRNO.EPERM, by: "program-budget", code: "REFUSED_BY_POLICY" });
    expect(refusal?.reason).toContain(reason);
  });

  it("takes what meets the budget exactly", async () => {
    await open({ insns: 22, helpers: 0, map_memory: 0 });
    expect(site.load("drop-telnet").verdict).toBe(0);
  });

  it("refuses where the budget is no number", async () => {
    await open({ insns: "many" });
    expect(site.load("drop-telnet").verdict).toBe(-ERRNO.EPERM);
  });
});
