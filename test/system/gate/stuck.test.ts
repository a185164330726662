import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openFiles } from "../../support/open-fds.js";
import { until } from "../../support/until.js";
import { RunningProgram } from "./running-program.js";
import { needs, needsGate, Site } from "./site.js";

/** Counts loads in a map; a native that never polls holds the thread for ever when the counter says so. */
const POLICY = `
import { map_lookup, map_update } from "countersign";
export function bpf_prog_load(prog) {
  const count = map_lookup("loads", "count") ?? 0;
  map_update("loads", "count", count + 1);
  if (count === 2) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
  return count > 4 ? -13 : 0;
}
`;

describe("a policy that never comes back", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(POLICY, "maps: { loads: { writable: { entries: 4, bytes: 4KiB } } }\n");
    // with less, it would run out of steps
    const limited = readFileSync(join(site.folder, "countersign.yaml"), "utf8").replace(
      "limits: { timeout: 10s }",
      "limits: { steps: 100000000, timeout: 500ms }",
    );
    site.write("countersign.yaml", limited);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  it.each([
    ["the next is decided", "true"],
    ["the next is decided by what was read at the start", "echo > policy.js 'export const bpf_prog_load = () => -13'"],
  ])("costs the decision thread its life: the call is refused, maps keep what was written, and %s", (_, first) => {
    site.policy(POLICY);
    site.forgetLog();
    const { stdout, stderr } = site.run(
      "sh",
      "-c",
      `cd ${site.folder}; ${first}; exec ${site.attack("traps")} callers`,
    );
    // four loads: 0 and 1 pass, the third is held and refused, the fourth meets the same counter and is refused as well
    expect(stdout.trim().split("\n")).toEqual([
      "good in a thread: done",
      "good in a vfork: 0",
      "bad in a thread: EPERM",
      "bad in a vfork: 1",
    ]);
    expect(stderr).toMatch(/the decision thread was replaced: a policy did not come back/);
    const late = site.log.filter(({ denied_by }) => denied_by?.code === "OUT_OF_TIME");
    expect(late).toHaveLength(2);
  });

  it("leaves no copies of the task's maps behind", async () => {
    site.forgetLog();
    site.policy(`
      export function bpf_prog_load({ maps }) {
        if (maps.length > 0) Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
        return 0;
      }
    `);
    const [file = "", ...words] = site.words("sh", "-c", `${site.attack("lent")} maps; echo over; read line`);
    const gate = new RunningProgram(file, words);
    const maps = () => openFiles(gate.pid).filter((target) => target === "anon_inode:bpf-map");
    try {
      while ((await gate.line()) !== "over");
      expect(site.log.filter(({ denied_by }) => denied_by?.code === "OUT_OF_TIME").length).toBeGreaterThan(0);
      // the last ones are closed after the answer, when the gate has its next turn
      await until(() => expect(maps()).toEqual([]));
    } finally {
      await gate.finish();
    }
  });
});

describe("a policy that runs out of memory", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site(`export const bpf_prog_load = () => "x".repeat(1e8).length;`, "");
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
  });

  it("is suspended from the second time on, and its decision thread goes on", () => {
    const { stderr } = site.run(site.attack("traps"), "callers");
    expect(stderr).not.toMatch(/replaced/);
    expect(site.log.map(({ denied_by }) => denied_by?.code)).toEqual([
      "OUT_OF_MEMORY",
      "OUT_OF_MEMORY",
      "SUSPENDED",
      "SUSPENDED",
    ]);
  });
});
