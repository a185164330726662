import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { dependency, unpack } from "../unpacked.js";
import { expectNoneLoadedSince, mountTracefs, needs, needsGate, needsTracefs, programs, Site } from "./site.js";

/** Debian's, which has bcc; another one may come first in PATH. */
const PYTHON = "/usr/bin/python3";
const ANSWER = `
__attribute__((noinline)) int answer(int of) { __asm__ volatile(""); return of + 1; }
int main(void) { return answer(40) + answer(41) + answer(42) - 126; }
`;

/** Programs and what is done with them; ANSWER is run at the end, and `b` is asked what it saw. */
const LOOKING: Readonly<Record<string, readonly [program: string, attach: string, says: string]>> = {
  "a tracepoint with a perf buffer": [
    `struct event { u32 pid; char comm[16]; };
     BPF_PERF_OUTPUT(events);
     TRACEPOINT_PROBE(sched, sched_process_exit) {
       struct event e = {.pid = bpf_get_current_pid_tgid() >> 32};
       bpf_get_current_comm(&e.comm, sizeof(e.comm));
       events.perf_submit(args, &e, sizeof(e));
       return 0;
     }`,
    'seen = set()\nb["events"].open_perf_buffer(lambda cpu, data, size: seen.add(b["events"].event(data).comm))',
    'b.perf_buffer_poll(timeout=300); print(b"answer" in seen)',
  ],
  "a uprobe with a hash": [
    `BPF_HASH(counts, u64, u64);
     int count(struct pt_regs *ctx) { u64 key = PT_REGS_PARM1(ctx); counts.increment(key); return 0; }`,
    'b.attach_uprobe(name=ANSWER, sym="answer", fn_name="count")',
    'print(sorted((k.value, v.value) for k, v in b["counts"].items()))',
  ],
  "a raw tracepoint that reads the kernel's memory": [
    `BPF_ARRAY(read, u64, 1);
     RAW_TRACEPOINT_PROBE(sched_process_exit) {
       char comm[16] = {};
       int zero = 0;
       u64 word = 0, one = 1;
       bpf_get_current_comm(&comm, sizeof(comm));
       if (comm[0] == 'a' && comm[5] == 'r' && bpf_probe_read_kernel(&word, sizeof(word), (void *)ctx->args[0]) == 0)
         read.update(&zero, &one);
       return 0;
     }`,
    "",
    'print(b["read"][0].value)',
  ],
  "samples of a clock with stacks": [
    `BPF_STACK_TRACE(stacks, 64);
     BPF_ARRAY(samples, u64, 1);
     int sample(struct bpf_perf_event_data *ctx) {
       int zero = 0;
       u64 *count = samples.lookup(&zero);
       stacks.get_stackid(&ctx->regs, 0);
       if (count) *count += 1;
       return 0;
     }`,
    'b.attach_perf_event(ev_type=1, ev_config=0, fn_name="sample", sample_freq=199)',
    'time.sleep(0.3); b.detach_perf_event(1, 0); print(b["samples"][0].value > 0)',
  ],
};
/** What acts, by the effect that it has. */
const ACTING: Readonly<Record<string, string>> = {
  writes_user_memory:
    "int act(struct pt_regs *ctx) { u64 zero = 0; bpf_probe_write_user((void *)PT_REGS_SP(ctx), &zero, 8); return 0; }",
  sends_signal: "int act(struct pt_regs *ctx) { bpf_send_signal(9); return 0; }",
};

describe("bcc", () => {
  let site: Site;
  let headers: string | undefined;
  let skipReason: string | null = null;
  let answer: string;

  beforeAll(() => {
    site = new Site("", "maps: { debug_read_only: { file: debug.json } }\n");
    site.write("debug.json", '{ "uid": 0 }');
    answer = join(site.folder, "answer");
    execFileSync("gcc", ["-O1", "-o", answer, site.write("answer.c", ANSWER)]);
    mountTracefs();
    if (spawnSync(PYTHON, ["-c", "import bcc"]).status !== 0) skipReason = "needs python3-bpfcc";
    else skipReason = takeHeaders();
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc", "bpftool");
    if (skipReason !== null) context.skip(skipReason);
    needsTracefs(context);
    site.forgetLog();
  });

  /**
   * bcc compiles against headers of some kernel, which Debian has in two packages. A reason where they cannot be had.
   */
  function takeHeaders(): string | null {
    const own = dependency("linux-headers-amd64", /-amd64$/);
    const common = own === null ? null : dependency(own, /-common$/);
    headers = join(site.folder, "headers");
    for (const name of [common, own]) {
      if (name === null) return "needs Debian's linux-headers-amd64";
      const unpacked = unpack(name);
      if (typeof unpacked === "string") return unpacked;
      execFileSync("cp", ["-a", `${unpacked.folder}/usr/src/${name}/.`, headers]);
    }
    return null;
  }

  const script = (program: string, attach: string, says: string) =>
    site.write(
      "trace.py",
      [
        "from bcc import BPF\nimport subprocess, time",
        `ANSWER = ${JSON.stringify(answer)}`,
        `b = BPF(text=r'''#include <linux/ptrace.h>\n#include <linux/sched.h>\n#include <uapi/linux/bpf_perf_event.h>\n${program}''')`,
        attach,
        "subprocess.run([ANSWER])",
        says,
      ].join("\n"),
    );
  const python = (path: string) => ["env", `BCC_KERNEL_SOURCE=${headers}`, PYTHON, path];

  it.each(Object.entries(LOOKING).slice(0, amount(1, 4)))(
    "comes to the same behind debug-read-only: %s",
    (_, [program, attach, says]) => {
      site.policy(readFileSync(own("policies/debug-read-only.js"), "utf8"));
      const path = script(program, attach, says);
      const bare = site.bare(...python(path));
      expect([bare.status, bare.stdout], bare.stderr).toEqual([
        0,
        expect.stringMatching(/^(True|1|\[\(40, 1\), .*\])\n$/),
      ]);
      expect(site.run(...python(path))).toEqual(bare);
      expect(site.log.filter(({ verdict }) => verdict < 0)).toEqual([]);
    },
  );

  it.each(Object.entries(ACTING))("loads nothing that %s under debug-read-only", async (effect, program) => {
    site.policy(readFileSync(own("policies/debug-read-only.js"), "utf8"));
    const before = programs();
    const path = script(program, 'b.attach_uprobe(name=ANSWER, sym="answer", fn_name="act")', "");
    const { status, stderr } = site.run(...python(path));
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining("bpf: Failed to load program: Operation not permitted"),
    ]);
    await expectNoneLoadedSince(before);
    const reasons = site.log.flatMap(({ denied_by }) => denied_by?.reason ?? []);
    expect(reasons[0]).toContain(`policy: uid 0 may load read-only programs only (${effect}: calls \`bpf_`);
  });
});
