import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { amount } from "../nightly.js";
import { needs, needsElementIterators, needsGate, outputOf, patient, Site, XDP_PASS } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

/** Notes what was copied of each command, and refuses nothing. */
const NOTING = `
import { note } from "countersign";
export function bpf({ digest, program, map, attach, run, path, btf }) {
  if (digest !== "") note(JSON.stringify({ map, attach, run, path, btf, program: program && [program.type, program.tag, program.digest?.slice(0, 16)] }));
  return 0;
}
`;
const GOOD_TAG = "614b434cd8324ecc";
const BAD_TAG = "b11459a0e11ca14c";

describe("what is done with objects that were handed out", () => {
  let site: Site;
  const cgroup = cgroupForTests();
  const env = () => ({
    BPFFS: site.bpffs,
    FILE: join(site.folder, "file"),
    CGROUP: cgroup.folder,
    SOCKET: join(site.folder, "socket"),
  });

  beforeAll(() => {
    site = new Site(NOTING);
    site.write("file", readFileSync("/bin/true"));
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "gcc");
    cgroup.needed(context);
    site.forgetLog();
  });
  afterEach(() => site.policy(NOTING));

  const bare = (name: string) => site.bare("env", ...words(env()), site.attack("commands"), name).stdout;
  const gated = (name: string, options: readonly string[] = []) =>
    site.runWith(options, { ...env(), GATED: "1" }, site.attack("commands"), name);
  const words = (variables: Readonly<Record<string, string>>) =>
    Object.entries(variables).map(([key, value]) => `${key}=${value}`);
  /** What was noted of a command, in order. */
  const noted = (name: string) =>
    site.log
      .filter(({ hook, subject }) => hook === "bpf" && subject.name === name)
      .flatMap(({ answers }) => answers?.flatMap(({ notes }) => notes.map((note) => JSON.parse(note) as Facts)) ?? []);

  it.each(["tracepoints", "attachments", "runs", "pins", "types", "links"])(
    "comes to the same with a gate that asks about it: %s",
    (name) => {
      const expected = bare(name);
      const { stdout } = gated(name);
      expect(
        stdout.split("\n").filter((line) => !(line in ONLY_GATED) && !line.startsWith("  gives 0, 0 bytes")),
      ).toEqual(expected.split("\n").filter((line) => !line.startsWith("  gives 0, 0 bytes")));
      for (const line of Object.keys(ONLY_GATED).filter((line) => ONLY_GATED[line] === name))
        expect(stdout).toContain(`${line}\n`);
    },
  );

  /** What the gate refuses before this kernel would look at it, by the attack that tries it. */
  const ONLY_GATED: Readonly<Record<string, string>> = {
    "uprobes in the gate: errno 40": "links",
    "an unknown attach type: errno 22": "links",
    "something in a hole of attr: errno 22": "links",
    "run for ever: errno 22": "runs",
  };

  it("comes to the same in namespaces of its own, where processes and cgroups have other numbers and names", (context) => {
    needs(context, "unshare");
    const own = ["unshare", "--pid", "--fork", "--cgroup", "--mount", "--mount-proc"];
    const links = (run: (...command: string[]) => { stdout: string }) =>
      run("env", ...words(env()), ...own, site.attack("commands"), "links").stdout;
    expect(links((...command) => site.run(...command))).toBe(links((...command) => site.bare(...command)));
    const pids = noted("BPF_LINK_CREATE").flatMap(({ attach }) => attach?.target.pid || []);
    // it is the first process there, and another one to the gate; of the one that there is not nobody is asked
    expect(pids).toEqual([expect.any(Number)]);
    expect(pids[0]).toBeGreaterThan(1);
  });

  it("tells a policy what is attached, how and to what", () => {
    gated("links");
    const links = noted("BPF_LINK_CREATE");
    expect(links[0]).toMatchObject({
      program: ["xdp", GOOD_TAG, GOOD_TAG],
      attach: { type: "xdp", flags: 2, target: { kind: "interface", ifindex: 1 } },
    });
    const targets = links.map(({ attach }) => attach?.target);
    const target = (kind: string) => targets.find((its) => its?.kind === kind);
    expect(target("perf_event")).toMatchObject({ ifindex: null });
    expect(target("netns")?.namespace).toBeGreaterThan(4_026_531_840);
    expect(target("netfilter")).toBeDefined();
    expect(target("cgroup")).toMatchObject({ path: cgroup.path });
    expect(target("kprobes")).toMatchObject({ symbols: ["do_nanosleep", "vfs_read"], count: 2 });
    const uprobes = targets.filter((its) => its?.kind === "uprobes");
    expect(uprobes[0]).toMatchObject({ path: env().FILE, offsets: [64, 128], count: 2, pid: 0 });
    expect(uprobes[1]?.pid).toBeGreaterThan(1);
    expect(uprobes.map((its) => its?.path)).toContain(site.attack("commands"));
    expect(noted("BPF_LINK_UPDATE")[0]).toMatchObject({
      program: ["xdp", "59f4a931744dcdc6", "59f4a931744dcdc6"],
      attach: { type: null, flags: 0, target: { kind: "link", program: { type: "xdp", tag: GOOD_TAG } } },
    });
  });

  it("tells a policy of tracepoints, attachments, runs, pins and types", () => {
    for (const name of ["tracepoints", "attachments", "runs", "pins", "types"]) gated(name);
    expect(noted("BPF_RAW_TRACEPOINT_OPEN")[0]).toMatchObject({
      attach: { target: { kind: "tracepoint", name: "sched_switch" } },
    });
    expect(noted("BPF_PROG_ATTACH")[0]).toMatchObject({
      program: ["cgroup_skb", expect.any(String), expect.any(String)],
      attach: { type: "cgroup_inet_egress", flags: 2, target: { kind: "cgroup" } },
    });
    const detached = noted("BPF_PROG_DETACH");
    expect(detached[0]).toMatchObject({
      program: ["cgroup_skb", expect.any(String), expect.any(String)],
      attach: {
        type: "cgroup_inet_egress",
        flags: 0,
        target: { kind: "cgroup", path: cgroup.path },
      },
    });
    expect(detached.map(({ program }) => program)).toContain(null);
    expect(noted("BPF_PROG_TEST_RUN")[1]).toMatchObject({
      program: ["xdp", GOOD_TAG, GOOD_TAG],
      run: { repeat: 10, flags: 0, data_size_in: 64, data_size_out: 128, ctx_size_in: 0, ctx_size_out: 0 },
    });
    const pins = noted("BPF_OBJ_PIN");
    expect(pins[0]).toMatchObject({ path: join(site.bpffs, "prog"), program: ["socket_filter", GOOD_TAG, GOOD_TAG] });
    expect(pins.map(({ path }) => path)).toContain(join(site.bpffs, "by-fd"));
    expect(pins.find(({ map }) => map !== null)).toMatchObject({
      path: join(site.bpffs, "map"),
      map: { type: "array" },
    });
    const got = noted("BPF_OBJ_GET").map(({ path }) => path);
    // where a link leads
    expect(got.filter((path) => path === join(site.bpffs, "prog"))).toHaveLength(2);
    expect(noted("BPF_BTF_LOAD")[0]?.btf).toEqual({ size: 48, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it("refuses what a policy refuses, and does nothing of it", () => {
    site.policy(`
      import { deny } from "countersign";
      export function bpf({ attach, path, run, btf }) {
        if (attach?.target.kind === "interface" && attach.target.ifindex === 1) return deny("not on lo");
        if (attach?.target.kind === "cgroup") return deny("not for " + attach.target.path);
        if (path?.endsWith("/prog")) return deny("not at " + path);
        if (run?.repeat === 10) return deny("not ten times");
        return btf?.size === 48 ? deny("not these types") : 0;
      }
    `);
    const links = gated("links").stdout;
    expect(links).toContain("xdp: errno 1\n");
    expect(links).toContain("cgroup: errno 1\n");
    expect(links).toContain("perf event: done\n");
    expect(gated("pins").stdout).toContain("pin: errno 1\npin again: errno 1\npin where the work is: done\n");
    expect(gated("runs").stdout).toContain("run with room: errno 1\n");
    expect(gated("types").stdout).toContain("types: errno 1\n");
    const reasons = new Set(site.log.map(({ denied_by }) => denied_by?.reason));
    expect(reasons).toContain(`policy: not at ${site.bpffs}/prog`);
    expect(reasons).toContain("policy: not on lo");
  });

  it("attaches nothing whose program was handed out elsewhere, unless it is told to", async () => {
    let outside: ChildProcess | null = null;
    const passed = (options: readonly string[]) => {
      outside?.kill("SIGKILL");
      execFileSync("rm", ["-f", env().SOCKET]);
      outside = spawn(site.attack("commands"), ["serve"], { env: { ...process.env, ...env() } });
      return gated("strangers", options).stdout;
    };
    expect(passed([])).toBe("a program from outside: errno 1\n");
    const [refused] = site.log.filter(({ denied_by }) => denied_by !== null);
    expect(refused?.denied_by?.reason).toMatch(/^gate: program \d+ was not handed out here \(gate\.existing\)$/);
    site.write(
      "existing.yaml",
      "version: 1\nlog: { file: log.jsonl }\ngate: { existing: allow }\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n",
    );
    expect(passed(["--config", join(site.folder, "existing.yaml")])).toBe("a program from outside: done\n");
    expect(passed(["--audit"])).toBe("a program from outside: done\n");
    (outside as ChildProcess | null)?.kill("SIGKILL");
  });

  it("runs no program that calls bpf(2) where it is asked about runs: what that makes would be the gate's", () => {
    site.policy("export const bpf_prog_load = () => 0;");
    expect(gated("loader").stdout).toBe("a program that calls bpf(2): done\nrun it: done\n");
    site.policy("export const bpf_prog_load = () => 0; export const bpf = () => 0;");
    expect(gated("loader").stdout).toBe("a program that calls bpf(2): done\nrun it: errno 1\n");
    expect(site.log.at(-1)?.denied_by?.reason).toBe(
      "gate: what a program that calls bpf(2) makes would be the gate's and not the task's (gate.loader_runs)",
    );
  });

  it("has the task run it where the settings have policies asked, and one that enforces was", () => {
    const asking = (attachment: string) => [
      "--config",
      site.write(
        "asking.yaml",
        `version: 1\nlog: { file: log.jsonl }\ngate: { loader_runs: ask }\nattachments: [${patient(attachment)}]\n`,
      ),
    ];
    site.write("loads.js", "export const bpf_prog_load = () => 0;");
    site.policy(NOTING);
    const both = "{ policy: loads.js }, { policy: policy.js }";
    expect(gated("loader", asking(both)).stdout).toBe("a program that calls bpf(2): done\nrun it: done\n");
    expect(noted("BPF_PROG_TEST_RUN")[0]?.program?.[0]).toBe("syscall");
    const refused = (attachments: string) => {
      site.forgetLog();
      expect(gated("loader", asking(attachments)).stdout).toBe("a program that calls bpf(2): done\nrun it: errno 1\n");
      return site.log.at(-1)?.denied_by?.reason;
    };
    expect(refused("{ policy: loads.js }, { policy: policy.js, mode: audit }")).toBe(
      "gate: the kernel reads the task's memory itself, which an enforcing attachment must allow, and none in scope answered",
    );
    site.policy('export const bpf = ({ program }) => (program?.type === "syscall" ? -1 : 0);');
    expect(refused(both)).toMatch(/^policy/);
  });

  it("gives an iterator the map, the process and the cgroup that the task meant", (context) => {
    needsElementIterators(context, site);
    const object = site.object("walk", WALK);
    const script = `
      set -e
      bpftool map create $BPFFS/walked type array key 4 value 8 entries 3 name walked > /dev/null
      id=$(bpftool -j map show pinned $BPFFS/walked | sed 's/.*"id":\\([0-9]*\\).*/\\1/')
      bpftool iter pin ${object} $BPFFS/walk map id $id
      cat $BPFFS/walk
      rm $BPFFS/walk $BPFFS/walked
    `;
    const walk = (run: (...command: string[]) => { stdout: string; stderr: string }) =>
      run("env", ...words(env()), "sh", "-c", script);
    expect(walk((...command) => site.bare(...command))).toMatchObject({
      stdout: "element 0\nelement 1\nelement 2\n",
      stderr: "",
    });
    expect(walk((...command) => site.run(...command))).toMatchObject({
      stdout: "element 0\nelement 1\nelement 2\n",
      stderr: "",
    });
    expect(noted("BPF_LINK_CREATE").map(({ attach }) => attach?.target)).toEqual([
      expect.objectContaining({ kind: "iterator", name: "bpf_map_elem" }),
    ]);
  });

  const RACES = {
    number: amount(100, 400),
    fd: amount(100, 400),
    interface: amount(100, 300),
    folder: amount(500, 2000),
  };
  for (const [kind, tries] of Object.entries(RACES))
    it(`does nothing that the policy refuses in ${tries} tries while its ${kind} changes`, (context) => {
      needs(context, "ip");
      site.policy(`
        export function bpf({ attach, path, program }) {
          if (attach !== null) return program.tag === "${BAD_TAG}" || attach.target.ifindex === 1 ? -1 : 0;
          return path?.includes("/bad/") ? -1 : 0;
        }
      `);
      site.write("quiet.yaml", "version: 1\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n");
      const swap = (times: number) => [site.attack("swap"), kind, String(times)] as const;
      const { stdout } = site.runWith(["--config", join(site.folder, "quiet.yaml")], env(), ...swap(tries));
      expect(stdout).toBe(`tries ${tries} made many refused many forbidden 0\n`);
      // without a gate the attack gets through
      const control = outputOf(site.bare("env", ...words(env()), ...swap(100_000), "until"));
      expect(Number(/forbidden (\d+)/.exec(control)?.[1])).toBe(1);
    });

  it("loads, attaches and pins with unmodified bpftool", (context) => {
    needs(context, "bpftool", "clang-19", "ip");
    const object = site.object("pass", XDP_PASS);
    const script = `
      set -e
      bpftool prog load ${object} $BPFFS/pass
      bpftool net attach xdpgeneric pinned $BPFFS/pass dev lo
      bpftool net show dev lo | grep -c 'generic id'
      bpftool net detach xdpgeneric dev lo
      rm $BPFFS/pass
    `;
    const { stdout, stderr, status } = site.run("unshare", "-n", "env", ...words(env()), "sh", "-c", script);
    expect([stdout, stderr, status]).toEqual(["1\n", "", 0]);
  });
});

/** What the noting policy writes of a command. */
interface Facts {
  readonly program: readonly string[] | null;
  readonly map: { readonly type: string } | null;
  readonly path: string | null;
  readonly run: object | null;
  readonly btf: object | null;
  readonly attach: {
    readonly target: {
      readonly kind: string;
      readonly namespace: number | null;
      readonly path: string | null;
      readonly pid: number | null;
    };
  } | null;
}

/** An iterator over the elements of a map, which its link is given. */
const WALK = `
typedef unsigned int u32;
typedef unsigned long long u64;
struct seq_file;
struct bpf_iter_meta { struct seq_file *seq; u64 session_id; u64 seq_num; } __attribute__((preserve_access_index));
struct bpf_map;
struct bpf_iter__bpf_map_elem { struct bpf_iter_meta *meta; struct bpf_map *map; void *key; void *value; } __attribute__((preserve_access_index));
static long (*bpf_seq_printf)(struct seq_file *m, const char *fmt, u32 fmt_size, const void *data, u32 data_len) = (void *)126;
__attribute__((section("iter/bpf_map_elem"), used)) int walk(struct bpf_iter__bpf_map_elem *ctx)
{
  static const char format[] = "element %u\\n";
  u32 *key = ctx->key;
  u64 number;
  if (!key) return 0;
  number = *key;
  bpf_seq_printf(ctx->meta->seq, format, sizeof(format), &number, sizeof(number));
  return 0;
}
char _license[] __attribute__((section("license"))) = "GPL";
`;
