import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs, needsGate, Site } from "./site.js";

/** Small programs that one task loads while others load large ones. */
const SMALL = 200;
/**
 * Large ones that may be answered meanwhile: each takes longer than a hundred small ones. If the gate served one after
 * the other, there were as many as small ones.
 */
const MOST_LARGE = SMALL / 4;

describe("tasks that load large programs again and again", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0;");
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
    site.forgetLog();
  });

  it.each(["straight", "branches", "callers"])("keep nobody else waiting: %s", (program) => {
    const { stdout, stderr } = site.run(site.attack("greedy"), program);
    expect(stderr).toBe("");
    const [, loaded, answered] = /^(\d+) small ones loaded, (\d+) large ones answered$/m.exec(stdout) ?? [];
    expect(Number(loaded)).toBe(SMALL);
    expect(Number(answered)).toBeLessThan(MOST_LARGE);
  });

  it.each(["straight", "chain", "branches", "callers"])(
    "keep nobody else waiting without any capability, and are never analysed: %s",
    (program) => {
      const { stdout } = site.run(site.attack("greedy"), program, "unprivileged");
      expect(stdout).toContain(`${SMALL} small ones loaded`);
      const large = site.log.filter(({ hook }) => hook === "bpf_prog_load").length;
      expect(large).toBe(SMALL);
    },
  );

  it("keep nobody else waiting with more functions than the kernel takes, and are never analysed", () => {
    const { stdout } = site.run(site.attack("greedy"), "chain");
    expect(stdout).toContain(`${SMALL} small ones loaded`);
    expect(site.log.filter(({ hook }) => hook === "bpf_prog_load").length).toBe(SMALL);
  });
});
