import { describe, expect, it } from "vitest";
import { siteForTests } from "./site.js";

/** EPERM, or E2BIG. */
const EARLY = /: [17] (?:$|too many)/;

const POLICY = `export const bpf_prog_load = () => 0;`;

describe("loads that the kernel rejects by count, or for want of capabilities", () => {
  const site = siteForTests(POLICY, ["gcc"]);

  it("have the errno and the first line of the log that they have without the gate, whatever the task may do", () => {
    const bare = site().bare(site().attack("counts")).stdout.split("\n");
    const gated = site().run(site().attack("counts")).stdout.split("\n");
    expect(bare.length).toBeGreaterThan(370);
    expect(gated).toEqual(bare);
    // what was compared is what was meant
    const found = (what: string) => bare.filter((line) => line.includes(what)).length;
    expect(found(": 1 ")).toBeGreaterThan(50); // EPERM
    expect(found(": 7 ")).toBeGreaterThan(50); // E2BIG
    expect(found("too many subprograms")).toBeGreaterThan(0);
    expect(found(": 0 ")).toBeGreaterThan(20);
  });

  it("are no decisions: no policy is asked, and nothing is analysed", () => {
    const { stdout } = site().run(site().attack("counts"));
    const asked = site().log.filter(({ hook }) => hook === "bpf_prog_load").length;
    const lines = stdout.trim().split("\n");
    const rejected = lines.filter((line) => EARLY.test(line)).length;
    expect(rejected).toBeGreaterThan(150);
    expect(asked).toBeLessThanOrEqual(lines.length - rejected);
    expect(asked).toBeGreaterThan(0);
  });
});
