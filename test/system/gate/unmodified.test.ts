import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  expectNoneLoadedSince,
  mountTracefs,
  needs,
  needsGate,
  needsTracefs,
  programs,
  Site,
  XDP_PASS,
} from "./site.js";

const ALLOW = "export const bpf_prog_load = () => 0;\nexport const bpf_prog = () => 0;\n";
const REFUSE = `
import { deny } from "countersign";
export const bpf_prog_load = (prog) => deny(\`\${prog.type} programs are not for here\`);
`;

describe("an unmodified program behind a gate", () => {
  let site: Site;
  let object: string;

  beforeAll(() => {
    site = new Site(ALLOW);
    if (spawnSync("sh", ["-c", "command -v clang-19"]).status === 0) object = site.object("pass", XDP_PASS);
    mountTracefs();
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool", "clang-19", "ip");
    site.policy(ALLOW);
    site.forgetLog();
  });

  /** Runs a script in a network namespace of its own with a veth pair, without a gate and behind one. */
  const both = (script: string) => {
    const inside = `set -e; ip link add veth0 type veth peer name veth1; ip link set veth0 up; ip link set veth1 up; ${script}`;
    const shell = ["unshare", "-n", "sh", "-c", inside];
    return { bare: site.bare(...shell), gated: site.run(...shell) };
  };
  const same = ({ bare, gated }: ReturnType<typeof both>) => {
    expect(gated).toEqual(bare);
    expect(gated.status).toBe(0);
  };

  it("loads and pins with bpftool as without the gate", () => {
    const script = `bpftool prog load ${object} ${site.bpffs}/pass && bpftool prog show pinned ${site.bpffs}/pass | grep -c xdp
      rm ${site.bpffs}/pass`;
    same(both(script));
    expect(site.log.map(({ hook, loader_probe }) => loader_probe ?? hook)).toEqual(
      expect.arrayContaining(["libbpf 1.5", "bpf_prog"]),
    );
  });

  it("attaches with `ip link set xdp`", () => {
    same(
      both(
        `ip link set dev veth0 xdp obj ${object} sec xdp && ip -d link show veth0 | grep -o 'prog/xdp'; ip link set dev veth0 xdp off`,
      ),
    );
  });

  it("attaches with `tc filter add … bpf`", () => {
    const tc = site.object(
      "tc",
      XDP_PASS.replace('section("xdp")', 'section("tc")').replace("xdp_md", "__sk_buff").replace("xdp_md", "__sk_buff"),
    );
    same(
      both(
        `tc qdisc add dev veth0 clsact && tc filter add dev veth0 ingress bpf da obj ${tc} sec tc && tc filter show dev veth0 ingress | grep -c direct-action`,
      ),
    );
  });

  it("attaches with xdp-loader", (context) => {
    needs(context, "xdp-loader");
    same(
      both(
        `xdp-loader load -m skb veth0 ${object}; xdp-loader status veth0 | grep -c pass || true; xdp-loader unload veth0 --all`,
      ),
    );
  });

  it("shows events with execsnoop", (context) => {
    needs(context, "execsnoop-libbpf");
    needsTracefs(context);
    const script = `: > $0; stdbuf -oL execsnoop-libbpf >> $0 &
      until grep -q behind-the-gate $0; do kill -0 $! || exit 1; /bin/true behind-the-gate; sleep 0.1; done
      kill -INT $!; wait $!`;
    const { status, stderr } = site.run("sh", "-c", script, join(site.folder, "events"));
    expect([status, stderr]).toEqual([0, ""]);
  });

  it("gets a clean EPERM for what is refused, and nothing is loaded", async () => {
    site.policy(REFUSE);
    const before = programs();
    const { status, stderr } = site.run("bpftool", "prog", "load", object, `${site.bpffs}/refused`);
    expect(status).toBe(255);
    expect(stderr).toContain("prog 'pass': BPF program load failed: Operation not permitted");
    expect(existsSync(`${site.bpffs}/refused`)).toBe(false);
    await expectNoneLoadedSince(before);
    const refused = site.log.filter(({ denied_by }) => denied_by?.code === "DENIED_BY_POLICY");
    expect(refused.map(({ subject, denied_by }) => [subject.name, denied_by?.reason])).toEqual(
      refused.map(() => ["pass", "policy: xdp programs are not for here"]),
    );
    expect(refused.length).toBeGreaterThan(0);
  });

  it("runs in audit as without the gate, and what would have been denied is recorded", () => {
    site.policy(REFUSE);
    const pin = `${site.bpffs}/audited`;
    const { status, stderr } = site.runWith(["--audit"], {}, "bpftool", "prog", "load", object, pin);
    expect([status, stderr]).toEqual([0, ""]);
    expect(existsSync(pin)).toBe(true);
    const denied = site.log.filter(({ enforced_verdict }) => enforced_verdict !== 0);
    expect(denied.map(({ mode, verdict, denied_by }) => [mode, verdict, denied_by?.reason])).toEqual([
      ["audit", 0, "policy: xdp programs are not for here"],
    ]);
  });

  it("keeps its exit code, its signals, its standard streams and its arguments", () => {
    expect(site.run("sh", "-c", "exit 37").status).toBe(37);
    expect(site.run("sh", "-c", "kill -TERM $$").signal).toBe("SIGTERM");
    expect(site.run("printf", "%s|", "a b", "", "--config", "ü").stdout).toBe("a b||--config|ü|");
    expect(site.run("sh", "-c", "echo out; echo err >&2")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    expect(site.run("no-such-command").status).toBe(127);
    expect(site.run(site.folder).status).toBe(126);
    expect(site.run("sh", "-c", "ulimit -n").stdout).toBe(site.bare("sh", "-c", "ulimit -n").stdout);
  });

  it("gets signals that are sent to the gate", () => {
    const started = join(site.folder, "started");
    const script = `trap 'echo got it; exit 3' TERM; touch ${started}; while :; do sleep 0.1; done`;
    const outer = `"$@" & until [ -e ${started} ]; do sleep 0.05; done; kill -TERM $!; wait $!`;
    const { stdout, status } = site.bare("bash", "-c", outer, "bash", ...gate(site), "sh", "-c", script);
    expect({ stdout, status }).toEqual({ stdout: "got it\n", status: 3 });
  });

  const gate = (where: Site): string[] => {
    const bin = new URL("../../../bin/countersign.js", import.meta.url).pathname;
    return [process.execPath, bin, "run", "--quiet", "--config", join(where.folder, "countersign.yaml"), "--"];
  };
});
