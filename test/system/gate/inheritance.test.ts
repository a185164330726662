import { execFileSync } from "node:child_process";
import { getPriority } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { BIN, needs, needsGate, Site } from "./site.js";

/** Signals that end a task; the short form has some of each kind. */
const SIGNALS = [
  ...["HUP", "KILL", "SEGV", "TERM", "RTMIN"],
  ...["INT", "QUIT", "ABRT", "PIPE", "XFSZ", "RTMAX"].slice(0, amount(0, 6)),
];
const SOURCE = join(import.meta.dirname, "../programs/inherited.c");

describe("what a command inherits behind a gate", () => {
  let site: Site;
  let report: string;

  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0;");
    report = join(site.folder, "inherited");
    execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-o", report, SOURCE]);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bash", "taskset", "ionice");
  });

  const gate = () => `${process.execPath} ${BIN} run --quiet --config ${site.folder}/countersign.yaml --`;
  /**
   * What comes of a script without a gate and behind one, where `$run` stands before the command and `$report` for the
   * program that reports.
   */
  const both = (script: string) => {
    const [bare, gated] = ["", gate()].map((run) =>
      site.bare(
        "env",
        `run=${run}`,
        `report=${report}`,
        `site=${site.folder}`,
        "bash",
        "-c",
        `unset OLDPWD\n${script}`,
      ),
    );
    // pipes have new numbers each time
    const without = (text: string) => text.replace(/^variable \d+: run=.*\n/m, "").replace(/^(fd \d+: f):\d+/gm, "$1");
    return { bare: { ...bare!, stdout: without(bare!.stdout) }, gated: { ...gated!, stdout: without(gated!.stdout) } };
  };
  /** All that is reported, into files so that the fds are the same ones. */
  const REPORT = "> $site/out 2> $site/err; code=$?; cat $site/out; cat $site/err >&2; exit $code";

  it("is what it would be without: fds, words, variables, credentials, limits, priorities, mask, folder", () => {
    const { bare, gated } = both(`
      umask 0037; ulimit -c 12345; ulimit -s 7000; ulimit -n 100; cd $site; echo seven > seven
      exec 4< countersign.yaml 5>> appended 7<> seven 9< /dev/null 14< . 15> >(cat) 40< countersign.yaml
      read -n 2 -u 7 word
      export BYTES=$'\\xff\\xfe=' EMPTY=
      nice -n 5 ionice -c 2 -n 6 taskset -c 0 setpriv --securebits +keep_caps_locked \\
        $run $report one $'t\\xffwo' '' $'l\\ni\\tne' < countersign.yaml ${REPORT}`);
    expect(gated).toEqual(bare);
    expect(bare.stderr).toBe("");
    expect(bare.status).toBe(0);
    for (const line of [
      "argument 2: t\\xffwo",
      "Umask:\t0037",
      `nice: ${Math.min(19, getPriority() + 5)}`,
      "Cpus_allowed:\t1",
      "limit 7: 64 ",
    ])
      expect(bare.stdout).toContain(line);
    expect(bare.stdout.match(/^fd (4|5|7|9|14|15|40): /gm)).toHaveLength(7);
    expect(bare.stdout).toMatch(/^fd 7: .* at 2$/m);
    expect(bare.stdout).toMatch(/^variable \d+: BYTES=\\xff\\xfe=$/m);
  });

  it("has the same standard input where it is a pipe, and where it is a device", () => {
    for (const script of [`sleep 0.5 | $run $report ${REPORT}`, `$run $report < /dev/null ${REPORT}`]) {
      const { bare, gated } = both(script);
      const mode = /^fd 0: \S+ (.*)$/m;
      expect(gated.stdout.match(mode)?.[1]).toBe(bare.stdout.match(mode)?.[1]);
      expect(gated.stdout.match(/^fd \d+/gm)).toEqual(bare.stdout.match(/^fd \d+/gm));
    }
  });

  it("has a pipe whose ends are both there, as make hands it to its jobs", () => {
    const { bare, gated } = both(`
      exec 3< <(sleep 1) && exec 4> /dev/fd/3
      $run sh -c 'echo token >&4 && read word <&3 && echo $word'
      exit $?`);
    expect(gated).toEqual(bare);
    expect(bare.stdout).toBe("token\n");
  });

  it("is let go by the gate: whoever reads the other end waits for the command alone", () => {
    for (const fd of [1, 5]) {
      const { bare, gated } = both(`
        cd $site; rm -f pipe ended; mkfifo pipe
        { cat pipe > /dev/null; echo > ended; } &
        $run sh -c 'exec ${fd}>&-; for i in $(seq 600); do [ -e ended ] && exit 3; sleep 0.1; done' ${fd}> pipe`);
      expect([bare.status, gated.status]).toEqual([3, 3]);
    }
  });

  it("gives it nothing of the gate's own", () => {
    const { bare, gated } = both("$run ls /proc/self/fd");
    expect(gated).toEqual(bare);
  });

  it("keeps no signal ignored, unless the command's own words ignore it", () => {
    const ignored = (script: string) => /SigIgn:\t(\w+)/.exec(both(script).gated.stdout)?.[1];
    expect(ignored("trap '' HUP; $run grep SigIgn /proc/self/status")).toBe("0000000000000000");
    expect(ignored("$run nohup grep SigIgn /proc/self/status")).toBe("0000000000000001");
  });

  it("ends as it ends, by every signal that ends it", () => {
    for (const signal of SIGNALS) {
      const { bare, gated } = both(`$run sh -c 'ulimit -c 0; kill -s ${signal} $$'; echo $?`);
      expect([signal, gated.stdout]).toEqual([signal, bare.stdout]);
    }
  });
});
