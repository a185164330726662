import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { own } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import {
  type Done,
  expectNoneLoadedSince,
  mountTracefs,
  needs,
  needsGate,
  needsTracefs,
  programs,
  Site,
} from "./site.js";

/**
 * Policies under which a tracer comes to the same as without a gate. With `bpf`, the gate carries every command out
 * itself.
 */
const LENIENT = {
  "that allows everything":
    "export const bpf_prog_load = () => 0, bpf_prog = () => 0, bpf_map_create = () => 0, bpf_map = () => 0;",
  "that carries out every command": "export const bpf_prog_load = () => 0, bpf_prog = () => 0, bpf = () => 0;",
  "with debug-read-only": readFileSync(own("policies/debug-read-only.js"), "utf8"),
} as const;

/** What is traced: three calls whose arguments and results are known. */
const ANSWER = `
#include <stdio.h>
__attribute__((noinline)) int answer(int of, const char *text) { __asm__ volatile("" : : "r"(text)); return of + 1; }
int main(void)
{
  char text[] = "everything";
  for (int i = 40; i < 43; i++)
    if (answer(i, text) == 0)
      puts(text);
  return 0;
}
`;

/**
 * Programs that only look, and print the same each time. ANSWER stands for the program that is traced, which is `cpid`.
 */
const LOOKING: Readonly<Record<string, string>> = {
  "a text": 'BEGIN { printf("hi %s\\n", "you"); exit(); }',
  "maps of every kind": `BEGIN {
    @a[1] = 2; @b["x", 3] = 4; @c = count(); @h = hist(5); @l = lhist(5, 0, 10, 2); @s = stats(4); @m = max(3); exit(); }`,
  loops: `BEGIN {
    @a[1] = 2; @a[3] = 4; for ($kv : @a) { printf("%d=%d\\n", $kv.0, $kv.1); }
    $i = 0; while ($i < 5) { $i++; @sum = sum($i); } unroll(3) { @u++; } delete(@a, 1); exit(); }`,
  "texts and tuples": `BEGIN {
    printf("%s %d %r\\n", ntop(0x0100007f), strncmp("a", "b", 1), buf("abc", 3)); print((1, 2, "x")); exit(); }`,
  // bpftrace prints its maps at the end, and the next interval can come before it
  "an interval": 'interval:ms:50 { @n++; if (@n == 3) { printf("three\\n"); exit(); } } END { clear(@n); }',
  "a tracepoint of system calls":
    'tracepoint:syscalls:sys_enter_exit_group /pid == cpid/ { printf("%s exits with %d\\n", comm, args.error_code); }',
  "a tracepoint's text":
    'tracepoint:syscalls:sys_enter_execve /pid == cpid/ { printf("%d\\n", str(args.filename) == "ANSWER"); }',
  "a tracepoint of the scheduler": 'tracepoint:sched:sched_process_exit /pid == cpid/ { printf("%s\\n", args.comm); }',
  "a raw tracepoint, and the kernel's memory":
    'rawtracepoint:sched_process_exit /pid == cpid/ { printf("%s\\n", ((struct task_struct *)arg0)->comm); }',
  "a uprobe's arguments": 'uprobe:ANSWER:answer { printf("%d %s\\n", arg0, str(arg1)); }',
  "a uretprobe": "uretprobe:ANSWER:answer { @[retval] = count(); }",
  "uprobes by a pattern": "uprobe:ANSWER:answ* { @ = count(); }",
  "times between two": `uprobe:ANSWER:answer { @start[tid] = nsecs; }
    uretprobe:ANSWER:answer /@start[tid]/ { @n = count(); @took = hist(nsecs - @start[tid]); delete(@start, tid); clear(@took); }`,
  "samples of a clock": "profile:hz:199 { @n = count(); } interval:ms:300 { exit(); } END { clear(@n); }",
  stacks: "tracepoint:syscalls:sys_enter_exit_group /pid == cpid/ { @[kstack, ustack] = count(); clear(@); }",
  "page faults": "software:page-faults:1 /pid == cpid/ { @ = count(); } END { clear(@); }",
  "an iterator": 'iter:task /ctx->task->pid == 2/ { printf("%s\\n", ctx->task->comm); }',
};
/**
 * Beside the policy that ships, the short form has some for each policy: with a map, a uprobe and stacks.
 */
const SOME = ["maps of every kind", "a uprobe's arguments", "stacks"];
const lookingBehind = (gate: string) =>
  Object.entries(LOOKING).filter(
    ([what]) => amount(0, 1) === 1 || gate === "with debug-read-only" || SOME.includes(what),
  );
const SIGNAL = 'uprobe:ANSWER:answer { signal("KILL"); }';

describe("bpftrace", () => {
  let site: Site;
  let bpftrace: string;
  let skipReason: string | null;
  let answer: string;

  beforeAll(() => {
    site = new Site(
      "",
      "maps: { debug_read_only: { file: debug.json } }\nkeyrings: { platform: { trust: [ca.pem] } }\n",
    );
    site.write("debug.json", '{ "uid": 0 }');
    site.write("ca.pem", Authority.create({ subject: "CA" }).pem.certificate);
    const run = spawnSync(process.execPath, [own("scripts/bpftrace.mjs"), site.folder], { encoding: "utf8" });
    bpftrace = run.stdout.trim();
    skipReason = run.status === 0 ? null : bpftrace;
    answer = join(site.folder, "answer");
    execFileSync("gcc", ["-O1", "-o", answer, site.write("answer.c", ANSWER)]);
    mountTracefs();
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool");
    if (skipReason !== null) context.skip(skipReason);
    needsTracefs(context);
    site.forgetLog();
  });

  /** The command that runs a program of bpftrace's, and what it traces. */
  const command = (program: string) => {
    const text = program.replaceAll("ANSWER", answer);
    return [bpftrace, "--unsafe", "-e", text, "-c", answer];
  };

  /** Its lines in order: a hash map has none. */
  const sorted = ({ stdout, ...done }: Done) => ({ ...done, lines: stdout.split("\n").sort() });
  const bare = new Map<string, Done>();
  for (const [gate, policy] of Object.entries(LENIENT))
    describe(`behind a gate ${gate}`, () => {
      beforeAll(() => site.policy(policy));

      it.each(lookingBehind(gate))("comes to the same as without: %s", (what, program) => {
        const expected = bare.get(what) ?? site.bare(...command(program));
        bare.set(what, expected);
        expect(expected.status, expected.stderr).toBe(0);
        expect(sorted(site.run(...command(program)))).toEqual(sorted(expected));
        expect(site.log.filter(({ denied_by }) => denied_by !== null)).toEqual([]);
      });

      it("says the same of what the kernel has", () => {
        expect(site.run(bpftrace, "--info")).toEqual(site.bare(bpftrace, "--info"));
        expect(site.log.map(({ loader_probe }) => loader_probe)).toContain("bpftrace 0.23");
      });
    });

  it("sends no signal under debug-read-only, and the reason says what would have", async () => {
    expect(site.bare(...command(SIGNAL)).status).toBe(0);
    site.policy(LENIENT["with debug-read-only"]);
    const before = programs();
    const { status, stdout, stderr } = site.run(...command(`${SIGNAL} END { printf("over\\n"); }`));
    expect([status, stdout]).toEqual([255, "Attaching 2 probes...\n"]);
    expect(stderr).toContain("ERROR: Loading BPF object(s) failed.");
    await expectNoneLoadedSince(before);
    const reasons = new Set(site.log.flatMap(({ denied_by }) => denied_by?.reason ?? []));
    expect([...reasons]).toEqual([
      expect.stringMatching(
        /^policy: uid 0 may load read-only programs only \(sends_signal: calls `bpf_send_signal` at /,
      ),
    ]);
  });

  it.each([
    ["verify-all", /^policy: verify_program platform: -ENODATA/],
    ["allow-unsigned-tc", /^policy: reads kernel memory and is not signed/],
  ])("is refused by %s, with an error that does not blame the kernel, and nothing is loaded", async (name, reason) => {
    site.policy(readFileSync(own(`policies/${name}.js`), "utf8"));
    const before = programs();
    const { status, stdout, stderr } = site.run(...command('uprobe:ANSWER:answer { printf("%s\\n", str(arg1)); }'));
    expect([status, stdout]).toEqual([255, "Attaching 1 probe...\n"]);
    expect(stderr).toContain("ERROR: Loading BPF object(s) failed.");
    await expectNoneLoadedSince(before);
    expect([...new Set(site.log.flatMap(({ denied_by }) => denied_by?.reason ?? []))]).toEqual([
      expect.stringMatching(reason),
    ]);
  });
});
