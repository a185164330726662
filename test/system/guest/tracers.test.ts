import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { askedAbout, describedAs, KnownFacts, NEEDS_TRACING, plainFacts } from "../../support/known-facts.js";
import { recordsIn } from "../../support/records.js";
import { own } from "../../support/workplace.js";
import { addLinks, addObjects, bootOnce, GUEST_CONFIGURATION, partsOf } from "./boot.js";

const CONFIGURATION = `${GUEST_CONFIGURATION}maps: { debug_read_only: { file: debug.json } }
`;
const WITH_SUBJECTS = CONFIGURATION.replace("log.jsonl }", "log.jsonl, level: inputs }");
/** Attaches to an iterator and to a map. */
const TARGETS = `
set -e
bpftool iter pin /lib/targets.o /sys/fs/bpf/each_task
bpftool prog loadall /lib/targets.o /sys/fs/bpf/targets pinmaps /sys/fs/bpf/targets
bpftool prog attach pinned /sys/fs/bpf/targets/verdict sk_skb_verdict pinned /sys/fs/bpf/targets/sockets
echo attached
`;
const POLICIES: Readonly<Record<string, string>> = {
  allow: "export const bpf_prog_load = () => 0, bpf_prog = () => 0;",
  note: `
    import { note } from "countersign";
    export const bpf_prog_load = () => 0;
    export const bpf = ({ name, attach, program, map }) => {
      if (name === "BPF_LINK_CREATE") note(JSON.stringify([program?.name ?? map?.name, attach]));
      return 0;
    };`,
  refuse: `
    import { deny } from "countersign";
    export const bpf_prog_load = () => 0;
    export const bpf = ({ name, attach }) => (name === "BPF_LINK_CREATE" ? deny("no link to " + attach.target.kind) : 0);`,
  targets: "export const bpf_prog_load = () => 0, bpf = () => 0;",
  read: readFileSync(own("policies/debug-read-only.js"), "utf8"),
};

/** What is known of each kind of link's target, beside what is null. */
const KINDS: Readonly<Record<string, readonly [type: string | null, target: object]>> = {
  kprobe: ["perf_event", { kind: "perf_event" }],
  // libbpf names functions by address where the kernel lists those
  kprobe_multi: ["trace_kprobe_multi", { kind: "kprobes", count: 1 }],
  fentry: ["trace_fentry", { kind: "function", name: "do_nanosleep" }],
  fexit: ["trace_fexit", { kind: "function", name: "do_nanosleep" }],
  fmod_ret: ["modify_return", { kind: "function", name: "security_task_getpgid" }],
  lsm: ["lsm_mac", { kind: "function", name: "task_getpgid" }],
  freplace: [
    null,
    {
      kind: "function",
      program: expect.objectContaining({ name: "replaced", type: "xdp" }),
      btf_id: expect.any(Number),
    },
  ],
  struct_ops: ["struct_ops", { kind: "struct_ops", name: "steady" }],
  uprobe: ["perf_event", { kind: "perf_event" }],
  uprobe_multi: [
    "trace_uprobe_multi",
    { kind: "uprobes", path: "/bin/links", count: 1, offsets: [expect.any(Number)], pid: 0 },
  ],
  tracepoint: ["perf_event", { kind: "perf_event" }],
  tp_btf: ["trace_raw_tp", { kind: "function", name: "sys_enter" }],
  tcx: ["tcx_egress", { kind: "interface", ifindex: 1 }],
  xdp: ["xdp", { kind: "interface", ifindex: 1 }],
  netfilter: ["netfilter", { kind: "netfilter" }],
  cgroup: ["cgroup_inet_egress", { kind: "cgroup", path: "/" }],
  sk_lookup: ["sk_lookup", { kind: "netns", namespace: expect.any(Number) }],
};
/**
 * Where no link can be had, libbpf attaches these by an ioctl of the perf event, which is no bpf(2)
 * (docs/threat-model.md).
 */
const BY_IOCTL: readonly string[] = ["kprobe", "uprobe", "tracepoint"];

/** Of bpftrace, for what only this kernel has; `cpid` sleeps. */
const TRACED: Readonly<Record<string, string>> = {
  kprobe: 'kprobe:do_nanosleep /pid == cpid/ { printf("%s\\n", comm); }',
  fentry: 'fentry:do_nanosleep /pid == cpid/ { printf("%s %d\\n", comm, args.mode); }',
  kprobes: "kprobe:hrtimer_nano* /pid == cpid/ { @[func] = count(); }",
};

const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
/** A policy that looks at nothing, beside those that look: in the long form. */
const ALLOWING = isNightly ? ["allow", "note"] : ["note"];
/**
 * bpftrace takes half a minute in a guest, to start and to read the types of the kernel: in the long form. In each run,
 * gate/bpftrace.test.ts has it trace behind the gate on the running kernel.
 */
const TRACING = isNightly ? Object.keys(TRACED) : [];
/** `bpftrace --info` tries everything that a kernel may have, which takes minutes in a guest: in the long form. */
const TRIES = isNightly ? ["info"] : [];

describe("tracers in a guest, whose kernel has kprobes and BPF trampolines", () => {
  const ran = bootOnce(["gcc", "clang-19", "bpftool"], (guest) => {
    for (const [name, policy] of Object.entries(POLICIES)) {
      guest.file(`site/${name}/countersign.yaml`, name === "targets" ? WITH_SUBJECTS : CONFIGURATION);
      guest.file(`site/${name}/debug.json`, '{ "uid": 0 }');
      guest.file(`site/${name}/policy.js`, policy);
    }
    addLinks(guest, "links");
    addObjects(guest, "targets");
    guest.program(execFileSync("sh", ["-c", "command -v bpftool"], { encoding: "utf8" }).trim(), "bin/bpftool");
    guest.file("lib/targets.sh", TARGETS);
    if (TRIES.length + TRACING.length === 0) return guest.run(script());
    const folder = mkdtempSync(join(tmpdir(), "bpftrace-"));
    const bpftrace = spawnSync(process.execPath, [own("scripts/bpftrace.mjs"), folder], { encoding: "utf8" });
    if (bpftrace.status === 0) guest.program(bpftrace.stdout.trim(), "bin/bpftrace");
    rmSync(folder, { recursive: true });
    return bpftrace.status === 0 ? guest.run(script()) : bpftrace.stdout.trim();
  });

  function script(): string {
    const lines = [
      "mkdir /cgroup; mount -t cgroup2 cgroup /cgroup; ip link set lo up",
      'gate() { w=$1; shift; node /countersign/bin/countersign.js run --quiet --config /site/$w/countersign.yaml -- "$@"; }',
      "echo PART bare; links /lib/links.o /lib/replaced.o /cgroup",
    ];
    for (const site of [...ALLOWING, "refuse"])
      lines.push(
        `echo PART ${site}; gate ${site} links /lib/links.o /lib/replaced.o /cgroup`,
        `echo PART ${site} log; cat /tmp/log.jsonl; rm /tmp/log.jsonl`,
      );
    lines.push(
      "echo PART targets; gate targets sh /lib/targets.sh && gate targets links /lib/links.o /lib/replaced.o /cgroup",
      "echo PART targets log; cat /tmp/log.jsonl; rm /tmp/log.jsonl",
    );
    const both = (name: string, command: string) =>
      lines.push(`echo PART ${name}; ${command}; echo $?`, `echo PART ${name} gated; gate read ${command}; echo $?`);
    for (const name of TRIES) both(name, "bpftrace --info");
    for (const name of TRACING) both(name, `bpftrace -e '${TRACED[name]}' -c '/bin/sleep 0.1'`);
    return [...lines, "echo PART end"].join("\n");
  }

  const part = (name: string) => partsOf(ran())[name];
  const logged = (site: string) => recordsIn(part(`${site} log`) ?? "");
  const said = (state: (kind: string) => string) =>
    Object.keys(KINDS)
      .map((kind) => `${kind}: ${state(kind)}\n`)
      .join("");

  it("boots, runs the script to its end, and powers off", () => {
    expect(ran().status, ran().console.slice(-2000)).toBe(0);
  });

  it("attach by every kind of link without a gate, and behind one whether it carries links out or the kernel does", () => {
    expect(part("bare")).toBe(said(() => "attached, ran"));
    for (const site of ALLOWING) expect(part(site)).toBe(part("bare"));
  });

  it.each(Object.entries(KINDS))("have a policy see what is attached, and to what: %s", (kind, [type, target]) => {
    const notes = logged("note").flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes) ?? []);
    const links = notes.map((note) => {
      const [what, attach] = JSON.parse(note) as [string, { type: string; target: object }];
      return { ...attach, what };
    });
    const its = links.filter(({ what }) => what === `by_${kind}` || (what === "steady" && kind === "struct_ops"));
    const known = its.map(({ type, target }) => [
      type,
      Object.fromEntries(Object.entries(target).filter(([, value]) => value !== null)),
    ]);
    expect(known).toEqual([[type, target]]);
  });

  it("get EPERM where the policy refuses the link, and nothing is attached", () => {
    expect(part("refuse")).toBe(said((kind) => (BY_IOCTL.includes(kind) ? "attached, ran" : "EPERM, did not run")));
    const reasons = new Set(logged("refuse").flatMap(({ denied_by }) => denied_by?.reason ?? []));
    const kinds = Object.values(KINDS).map(([, target]) => (target as { kind: string }).kind);
    expect(reasons).toEqual(new Set(kinds.map((kind) => `policy: no link to ${kind}`)));
  });

  it("are known by described commands as well as in a gate, with facts that only these kernels have", () => {
    expect(part("targets")).toBe(`attached\n${part("bare")}`);
    const known = new KnownFacts();
    const commands = askedAbout(logged("targets"), ["bpf"]);
    const differences = commands.flatMap(({ facts }) =>
      known.differences("command", "described", plainFacts("command", describedAs("command", "bpf", facts)), facts),
    );
    console.info(known.counts());
    expect(differences, differences.join("\n")).toEqual([]);
    expect(known.ownedWithoutCase().filter((fact) => NEEDS_TRACING.includes(fact))).toEqual([]);
  });

  it.each([...TRIES, ...TRACING])("come to the same behind debug-read-only with bpftrace: %s", (name) => {
    expect(part(name)).toMatch(/\n0\n$/);
    expect(part(`${name} gated`)).toBe(part(name));
  });

  it("see what they trace with bpftrace", ({ skip }) => {
    if (!isNightly) return skip("bpftrace takes minutes in a guest: nightly");
    expect(part("fentry gated")).toContain("\nsleep 1\n");
    expect(part("kprobe gated")).toContain("\nsleep\n");
    expect(part("kprobes gated")).toContain("@[hrtimer_nanosleep]: 1\n");
    expect(part("info gated")).toMatch(/fentry: yes\s+kprobe_multi: yes/);
  });
});
