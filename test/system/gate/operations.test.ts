import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { needs, needsGate, Site, XDP_PASS } from "./site.js";

const DENY_PASS = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => (prog.name === "pass" ? deny("not here") : 0);
`;
/** Denied by any policy of the above that is attached to maps, too. */
const DENY_MAP = `
import { deny } from "countersign";
export const bpf_map_create = (map) => (map.name === "counts" ? deny("no such map here") : 0);
`;
/** Denies at two hooks of one operation. */
const DENY_TWICE = `${DENY_PASS}
export const bpf_prog = (prog) => (prog.name === "pass" ? deny("nor handed out") : 0);
`;
/** A program with a map that has types, as libbpf declares it. */
const WITH_MAP = `
struct { int (*type)[2]; int (*max_entries)[1]; int *key; long *value; } counts __attribute__((section(".maps"), used));
static void *(*lookup)(void *map, const void *key) = (void *)1;
struct xdp_md;
__attribute__((section("xdp"), used)) int pass(struct xdp_md *ctx) { int key = 0; return lookup(&counts, &key) ? 2 : 1; }
char _license[] __attribute__((section("license"))) = "GPL";
`;

describe("an operation", () => {
  let site: Site;
  let pins = 0;

  beforeAll(() => {
    site = new Site(DENY_PASS);
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool", "clang-19", "gcc");
    site.policy(DENY_PASS);
    site.write(
      "countersign.yaml",
      "version: 1\nlog: { file: log.jsonl }\nattachments: [{ policy: policy.js, limits: { timeout: 10s } }]\n",
    );
    site.forgetLog();
  });

  const load = (object: string, ...options: string[]) => {
    pins += 1;
    const pin = `${site.bpffs}/pin${pins}`;
    const run = site.runLoudWith(["--json", ...options], "bpftool", "prog", "load", object, pin);
    return { ...run, summary: JSON.parse(run.stderr.trim().split("\n").at(-1)!) };
  };
  const denials = () => site.log.filter(({ enforced_verdict }) => enforced_verdict < 0);

  it("is a denied load with libbpf's retry for the verifier's log, and is counted once", () => {
    const { summary } = load(site.object("pass", XDP_PASS));
    const [first, ...retries] = denials();
    expect(retries).toHaveLength(1);
    expect(retries[0]?.operation).toBe(first?.operation);
    expect(retries[0]?.id).not.toBe(first?.id);
    expect(summary).toMatchObject({ mode: "enforce", denied: 1 });
    expect(summary.denials).toEqual([
      { id: first?.id, hook: "bpf_prog_load", subject: "pass", reason: "policy: not here", outcome: "denied" },
    ]);
  });

  it("is another one in another process", () => {
    const object = site.object("pass", XDP_PASS);
    const script = `bpftool prog load ${object} ${site.bpffs}/a; bpftool prog load ${object} ${site.bpffs}/b`;
    const { stderr } = site.runLoudWith(["--json"], "sh", "-c", script);
    expect(JSON.parse(stderr.trim().split("\n").at(-1)!)).toMatchObject({ denied: 2 });
    expect(new Set(denials().map(({ operation }) => operation)).size).toBe(2);
    expect(denials()).toHaveLength(4);
  });

  it("is a denied map with libbpf's retry without its types", () => {
    site.policy(DENY_MAP);
    const { summary } = load(site.object("counting", WITH_MAP));
    const denied = denials();
    expect(denied.map(({ hook, subject }) => [hook, subject.name])).toEqual([
      ["bpf_map_create", "counts"],
      ["bpf_map_create", "counts"],
    ]);
    expect(new Set(denied.map(({ operation }) => operation)).size).toBe(1);
    expect(summary).toMatchObject({ denied: 1 });
  });

  it("is counted once in a dry run that goes on to its later hooks", () => {
    site.policy(DENY_TWICE);
    const { status, summary } = load(site.object("pass", XDP_PASS), "--audit");
    expect(status).toBe(0);
    expect(denials().map(({ hook, verdict, enforced_verdict }) => [hook, verdict, enforced_verdict])).toEqual([
      ["bpf_prog_load", 0, -1],
      ["bpf_prog", 0, -1],
    ]);
    expect(new Set(denials().map(({ operation }) => operation)).size).toBe(1);
    expect(summary).toMatchObject({ mode: "audit", denied: 1 });
    expect(summary.denials.map(({ outcome, reason }: Record<string, string>) => [outcome, reason])).toEqual([
      ["dry run", "policy: not here"],
      ["dry run", "policy: nor handed out"],
    ]);
  });

  it.each([[[]], [["--audit"]]])("is counted once where the gate itself denies what policies allow: %j", (options) => {
    site.policy("export const bpf_prog_load = () => 0;");
    const { stderr } = site.runLoudWith(["--json", ...options], site.attack("traps"), "rewrite");
    const [denied, ...more] = denials();
    expect(more).toEqual([]);
    expect(denied).toMatchObject({ hook: "bpf_prog", denied_by: { attachment: null, code: "DENIED_BY_GATE" } });
    const all = site.log.filter(({ operation }) => operation === denied?.operation);
    expect(all.map(({ hook, enforced_verdict }) => [hook, enforced_verdict])).toEqual([
      ["bpf_prog_load", 0],
      ["bpf_prog", -1],
    ]);
    const operations = new Set(site.log.map(({ operation }) => operation)).size;
    const { allowed, denied: counted, probes } = JSON.parse(stderr.trim().split("\n").at(-1)!);
    expect({ counted, all: allowed + counted + probes }).toEqual({ counted: 1, all: operations });
  });

  it("names every attachment with its own mode, and every denial in audit, in a dry run too", () => {
    site.write("other.js", DENY_PASS.replace("not here", "not there"));
    site.write("third.js", "export const bpf_prog_load = () => 0;");
    site.write(
      "countersign.yaml",
      `version: 1
mode: audit
default: { bpf_prog_load: deny }
log: { file: log.jsonl }
attachments:
  - { policy: policy.js, mode: audit, limits: { timeout: 10s } }
  - { policy: other.js, mode: audit, limits: { timeout: 10s } }
  - { policy: third.js, limits: { timeout: 10s } }
`,
    );
    const { summary } = load(site.object("pass", XDP_PASS));
    const [decision] = site.log.filter(({ subject, audit_denials }) => subject.name === "pass" && audit_denials.length);
    expect(decision?.answers?.map(({ attachment, mode }) => [attachment, mode])).toEqual([
      ["policy", "audit"],
      ["other", "audit"],
      ["third", "enforce"],
    ]);
    expect(decision).toMatchObject({ mode: "audit", verdict: 0, enforced_verdict: 0, denied_by: null });
    expect(decision?.audit_denials.map(({ attachment, reason }) => [attachment, reason])).toEqual([
      ["policy", "policy: not here"],
      ["other", "other: not there"],
    ]);
    expect(summary).toMatchObject({ denied: 0 });
    expect(summary.denials.map(({ outcome, reason }: Record<string, string>) => [outcome, reason])).toEqual([
      ["audit", "policy: not here"],
      ["audit", "other: not there"],
    ]);
  });
});
