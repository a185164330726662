import { describe, expect, it } from "vitest";
import type { ThrottleRecord } from "../../../src/log/record.js";
import { mismatch } from "../../support/record-schema.js";
import { RunningAgent } from "./running-agent.js";
import { type Site, siteForTests } from "./site.js";

/** Few, so that the running kernel has no more to release than in other tests. */
const LIMIT = 20;
const LOADS = 3 * LIMIT;
/** Loads of the container that closes few programs: see storm.c. */
const OTHERS = 32;

describe("loads behind a gate, if the kernel releases more programs than the limit", () => {
  const policy = "export const bpf_prog_load = () => 0;";
  const site = siteForTests(policy, ["gcc"], `gate: { program_releases: ${LIMIT} }\n`);
  const throttled = ({ records }: Site) =>
    records.filter((record): record is ThrottleRecord => record.type === "throttle");

  it("do not wait if the programs stay", () => {
    const { stdout, stderr } = site().runLoud(site().attack("storm"), "stay", String(10 * LIMIT));
    expect(stdout).toBe("stay: done\n");
    expect(stderr).toContain(`countersign: ${10 * LIMIT} allowed, 0 denied\n`);
    expect(throttled(site())).toEqual([]);
  });

  it.each([1, 4])("wait if %i processes close them, which the log says once", (processes) => {
    const words = ["close", "60", String(processes), String(LOADS / processes)];
    const { stdout, stderr } = site().runLoud(site().attack("storm"), ...words);
    expect(stderr).toMatch(new RegExp(`countersign: ${LOADS} allowed, 0 denied, [1-9]\\d* loads waited`));
    const [, most] = /^(\d+) closed in a second\nclose: done\n$/.exec(stdout) ?? [];
    expect(Number(most)).toBeGreaterThan(LIMIT / 2);
    expect(Number(most)).toBeLessThanOrEqual(LIMIT + processes - 1);
    const records = throttled(site());
    expect(records).toMatchObject([{ level: "warn", container: null, program_releases: LIMIT }]);
    expect(records.map((record) => mismatch(record))).toEqual([null]);
  });

  it("wait in the container that closes them, and in no other", async () => {
    const agent = await RunningAgent.start(site(), ["--shared-pids", "--metrics", "127.0.0.1:0"]);
    try {
      const { status, stdout } = site().bare(site().attack("storm"), "containers", agent.socket, String(LOADS));
      expect([status, stdout]).toEqual([0, "containers: done\n"]);
      expect(throttled(site())).toMatchObject([{ container: { id: "closes" } }]);
      await agent.heard(/loads of container `closes` wait/);
      const metrics = await (await fetch(agent.metrics)).text();
      expect(metrics).toMatch(/^countersign_throttled_loads_total [1-9]/m);
      const allowed = site().log.filter(({ hook, verdict }) => hook === "bpf_prog_load" && verdict === 0);
      expect(allowed).toHaveLength(LOADS + OTHERS);
    } finally {
      await agent.end();
    }
  });
});
