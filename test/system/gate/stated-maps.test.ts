import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { programPartOf } from "../../../src/bpf/statement.js";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { BIN, needsGate } from "./site.js";

const POLICY = `
import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "platform");
`;

/** An object with a pinned map whose values have these members; `more` makes its BTF another one. */
const pinned = (members: string, more = "") => `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
${more}
struct session { ${members} };
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 8);
  __type(key, __u32);
  __type(value, struct session);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} sessions SEC(".maps");
SEC("xdp") int use(struct xdp_md *context) {
  __u32 key = 0;
  return bpf_map_lookup_elem(&sessions, &key) ? XDP_PASS : XDP_DROP;
}
char _license[] SEC("license") = "GPL";
`;

/**
 * libbpf and the kernel change the attributes of many maps: the statement's maps are compared with what they become.
 */
describe("a signed program with maps of all types", () => {
  let workplace: Workplace;
  let object: string;
  const isPossible = spawnSync("sh", ["-c", "command -v bpftool clang-19"]).status === 0;

  beforeAll(() => {
    workplace = new Workplace(
      // a machine that is busy, or a guest, takes longer than the default
      "  - policy: policies/policy.js\n    limits: { timeout: 10s }\n",
      "log: { file: log.jsonl }\ndefault: { bpf_prog_load: deny }\ngate: { stall: 60s }",
    );
    workplace.write("policies/policy.js", POLICY);
    object = workplace.at("every-map.o");
    if (!isPossible) return;
    const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
    execFileSync("clang-19", [...flags, "-c", own("test/system/gate/every-map.bpf.c"), "-o", object]);
    mkdirSync(workplace.at("bpf"));
    execFileSync("mount", ["-t", "bpf", "none", workplace.at("bpf")]);
  });
  afterAll(() => {
    if (isPossible) spawnSync("umount", [workplace.at("bpf")]);
    rmSync(workplace.folder, { recursive: true });
  });
  beforeEach((context) => {
    needsGate(context);
    if (!isPossible) context.skip("needs bpftool and clang-19");
  });

  const load = (name: string, ...before: readonly string[]) =>
    spawnSync(before[0] ?? "bpftool", [...before.slice(1), ...(before.length > 0 ? ["bpftool"] : []), ...words(name)], {
      encoding: "utf8",
      timeout: 120_000,
    });
  const words = (name: string) => ["prog", "loadall", object, workplace.at(`bpf/${name}`)];

  const sign = (path: string, ...options: readonly string[]) => {
    const { key, certificate } = workplace.signer.pem;
    const signer = ["--key", workplace.write("signer.key", key), "--cert", workplace.write("signer.pem", certificate)];
    const words = ["sign", ...signer, "--programs", "--only-statements", ...options];
    const signed = [BIN, ...words, "--out", workplace.at("signatures"), path];
    expect(spawnSync(process.execPath, signed).status).toBe(0);
  };
  const compile = (name: string, source: string) => {
    const to = workplace.at(`${name}.o`);
    const flags = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu"];
    execFileSync("clang-19", [...flags, "-c", workplace.write(`${name}.c`, source), "-o", to]);
    return to;
  };
  const reasons = () =>
    recordsOf(workplace.at("log.jsonl")).flatMap(({ hook, loader_probe, denied_by }) =>
      hook === "bpf_prog_load" && loader_probe === undefined ? [denied_by?.reason ?? null] : [],
    );

  it("is loaded as without the gate", (context) => {
    const bare = load("bare");
    if (bare.status !== 0) return context.skip(`this kernel does not load it: ${bare.stderr}`);
    sign(object);
    const gated = load("gated", process.execPath, BIN, "run", "--quiet", "--config", workplace.config, "--");
    expect(reasons()).toEqual([null]);
    expect(gated.status, gated.stderr).toBe(0);
    const { object: stated, programs } = programPartOf(readFileSync(object));
    expect(programs[0]!.map_references).toHaveLength(stated.maps.length);
    expect(stated.maps.length).toBeGreaterThan(35);
  });

  it("may use a map that another object has pinned if its types have the same structure", (context) => {
    const members = "__u64 count; __u32 mark;";
    const first = compile("first", pinned(members));
    const second = compile("second", pinned(members, "struct other { int a; }; struct other other;"));
    const third = compile("third", pinned("__u64 count; __u32 other;"));
    sign(first);
    for (const path of [second, third]) sign(path, "--open", "map:sessions.pinned");
    const load = [first, second, third].map((path, at) => `bpftool prog loadall ${path} /sys/fs/bpf/${at}`);
    const script = `mount -t bpf none /sys/fs/bpf && { ${load.join("; ")}; }`;
    if (spawnSync("unshare", ["-m", "sh", "-c", script]).status !== 0)
      return context.skip("cannot load them without a gate");
    rmSync(workplace.at("log.jsonl"), { force: true });
    const gate = [BIN, "run", "--quiet", "--config", workplace.config, "--", "unshare", "-m", "sh", "-c", script];
    spawnSync(process.execPath, gate, { encoding: "utf8", timeout: 120_000 });
    // libbpf tries again for the verifier's log
    const [one, two, ...others] = reasons();
    expect([one, two]).toEqual([null, null]);
    expect(others.length).toBeGreaterThan(0);
    for (const reason of others) expect(reason).toContain("`sessions.btf` is");
  });
});
