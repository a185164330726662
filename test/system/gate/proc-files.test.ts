import { describe, expect, it } from "vitest";
import { outputOf, siteForTests } from "./site.js";

/**
 * Files of the gate in /proc that root inside can write, for the process as for each of its threads, and why that does
 * no harm. The kernel has the rules in fs/proc/base.c.
 */
const WRITTEN: Readonly<Record<string, string>> = {
  autogroup: "the nice value of the session: restored (protection.ts)",
  clear_refs: "marks pages as not used: they are read again from swap; and resets the peak of the memory in `status`",
  coredump_filter: "what a core dump contains: the gate makes none (PR_SET_DUMPABLE)",
  oom_adj: "the old form of oom_score_adj",
  oom_score_adj: "restored (protection.ts)",
  sched: "resets statistics of the scheduler",
  timerslack_ns: "limits do not depend on it (sys/timer-fd.ts); restored for the main thread (protection.ts)",
};

describe("the files of a gate in /proc", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", ["gcc", "setsid"]);
  /** Each file and what came of writing to it; those of threads without their folder. */
  const outcomes = (stdout: string) =>
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.replace(/^task\/TID\//, "").split(": ") as [file: string, outcome: string]);

  it("take nothing from root inside but what does no harm, and the gate decides on", () => {
    const script = '$0 $PPID; exec "$@"';
    const done = site().run("sh", "-c", script, site().attack("proc-files"), site().attack("outcomes"), "load");
    const [load = "", ...files] = outcomes(outputOf(done)).reverse();
    expect(load).toEqual(["load", "done"]);
    const written = files.filter(([, outcome]) => outcome === "written").map(([file]) => file);
    expect(new Set(files.map(([file]) => file)).size).toBeGreaterThan(50);
    expect(written.filter((file) => !(file in WRITTEN))).toEqual([]);
    // none of the others is there for want of trying: these are on every kernel
    for (const file of ["clear_refs", "oom_score_adj", "timerslack_ns"]) expect(written).toContain(file);
  });

  it("are not to be entered, so that its memory, fds and namespaces cannot be reached by them", () => {
    const files = outcomes(outputOf(site().run("sh", "-c", "$0 $PPID", site().attack("proc-files"))));
    const denied = files.filter(([, outcome]) => outcome === "EACCES").map(([file]) => file);
    for (const file of ["cwd", "exe", "fd/N", "fdinfo/", "mem", "ns/net", "root"]) expect(denied).toContain(file);
  });

  it("can be written by a command as long as they are its own", () => {
    // the command has a session of its own, so that its autogroup is not the gate's; the gate looks once a second
    const own = `for file in oom_score_adj timerslack_ns; do echo 7 > /proc/$$/$file || exit 9; done
      [ ! -e /proc/$$/autogroup ] || echo 7 > /proc/$$/autogroup
      sleep 1.5; cat /proc/$$/oom_score_adj /proc/$$/timerslack_ns; grep -o "nice .*" /proc/$$/autogroup || echo nice 7`;
    expect(outputOf(site().run("setsid", "--wait", "sh", "-c", own))).toBe("7\n7\nnice 7\n");
  });
});
