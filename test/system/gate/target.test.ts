import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs, needsGate, Site } from "./site.js";

/** What a command finds of the gate that it can change: all must be as before. */
const STATE = `
state() {
  cat /proc/$1/limits; grep Cpus_allowed: /proc/$1/status
  for stat in /proc/$1/task/*/stat; do sed 's/.*) //' $stat | cut -d' ' -f 16,17,38,39; done | sort -u
}`;

describe("the gate as the target of its command", () => {
  let site: Site;

  beforeAll(() => {
    if (process.getuid?.() === 0) site = new Site("export const bpf_prog_load = () => 0;");
  });
  afterAll(() => site?.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "unshare");
    site.forgetLog();
  });

  /** The acts and what came of them. */
  const acts = (stdout: string) =>
    Object.fromEntries(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(": ") as [string, string]),
    );
  const ofTheGate = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).filter(([act]) => /of (the|a thread of the) gate|the gate|^its /.test(act));

  it("has its limits, priorities, affinity and environment to itself, as root inside or not", () => {
    const { stdout } = site.runWith([], { SECRET: "a secret" }, site.attack("target"));
    const kept = ofTheGate(acts(stdout)).filter(([act]) => act !== "its oom_score_adj" && act !== "its environment");
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.filter(([, outcome]) => outcome !== "EPERM")).toEqual([]);
    // from Linux 6.14 on CAP_PERFMON opens the file, and it holds nothing any more
    expect(acts(stdout)["its environment"]).toMatch(/^(ENODATA|EBADF)$/);
    const rules = site.log.map(({ denied_by, subject }) => `${denied_by?.rule} ${subject.name}`);
    const calls = ["prlimit64", "sched_setaffinity", "sched_setparam", "sched_setscheduler", "sched_setattr"];
    for (const call of [...calls, "setpriority", "ioprio_set"]) expect(rules).toContain(`gate_target ${call}`);
  });

  it("is as it was after all of that, and judges on; its oom_score_adj is set back", () => {
    // the gate's V8 threads have nice value 15 in its first second (v8-thread-priority.ts)
    const script = `${STATE}; while state $PPID | grep '^35 15'; do sleep 0.1; done > /dev/null
      score=$(cat /proc/self/oom_score_adj)
      state $PPID > $1/before; GATE=$PPID $0 > /dev/null; state $PPID > $1/after
      until [ "$(cat /proc/$PPID/oom_score_adj)" = "$score" ]; do sleep 0.1; done
      diff $1/before $1/after; exec $2`;
    const loader = site.attack("outcomes");
    const done = site.run("sh", "-c", script, site.attack("target"), site.folder, `${loader} load`);
    expect(done).toEqual({ stdout: "load: done\n", stderr: "", status: 0, signal: null });
  });

  it.each([
    ["as it is", []],
    ["in a pid namespace of its own", ["unshare", "--pid", "--fork", "--mount", "--mount-proc"]],
    ["in a user namespace of its own", ["unshare", "--user", "--map-root-user"]],
  ] as const)("does not keep a command from changing itself and its own processes: %s", (_, inside) => {
    const command = ["env", "HARMLESS=1", ...inside, site.attack("target")];
    const bare = site.bare(...command);
    const gated = site.run(...command);
    expect(gated).toEqual(bare);
    expect(acts(bare.stdout)["limits of a child"]).toBe("done");
    expect(site.log.filter(({ denied_by }) => denied_by !== null)).toEqual([]);
  });

  it("is not protected in audit, where nothing is enforced", () => {
    const script = "$0 > $1/audit; true";
    site.runWith(["--audit"], {}, "sh", "-c", script, site.attack("target"), site.folder);
    const denied = ofTheGate(acts(site.bare("cat", join(site.folder, "audit")).stdout));
    expect(denied.filter(([act, outcome]) => act.startsWith("limits") && outcome !== "done")).toEqual([]);
  });
});
