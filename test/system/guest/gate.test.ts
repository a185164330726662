import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { subjectsOf } from "../../support/file-subjects.js";
import { describedAs, KnownFacts, plainFacts } from "../../support/known-facts.js";
import { bootOnce, GUEST_CONFIGURATION } from "./boot.js";

/**
 * Loads where CONFIG_KPROBES and BPF trampolines are: a kprobe, an fentry and an LSM program, which attach by
 * themselves.
 */
const TRACERS = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("kprobe/do_nanosleep") int by_kprobe(void *ctx) { return 0; }
SEC("fentry/do_nanosleep") int by_fentry(void *ctx) { return 0; }
SEC("lsm/file_open") int by_lsm(void *ctx) { return 0; }
char _license[] SEC("license") = "GPL";
`;

/** Modules that are asked about; whether the kernel then finds what they need does not matter. */
const MODULES = [
  ..."dummy ifb veth bonding vxlan tun macvlan ipvlan bridge 8021q loop nbd cuse gre nlmon ipip raid0 xt_mark".split(
    " ",
  ),
  ..."xt_comment nf_conntrack ip_tables overlay".split(" "),
];

describe("the gate in a guest, whose kernel has what this one lacks", () => {
  const modules = new Map<string, Uint8Array>();
  const ran = bootOnce(["bpftool", "clang-19"], (guest) => {
    for (const name of MODULES) modules.set(name, guest.kernel.module(name));
    const dummy = guest.kernel.module("dummy");
    const digest = createHash("sha256").update(dummy).digest("hex");
    guest.file("lib/dummy.ko", dummy);
    guest.file("lib/ifb.ko", guest.kernel.module("ifb"));
    guest.file("site/allow/countersign.yaml", GUEST_CONFIGURATION);
    guest.file("site/allow/policy.js", "export const bpf_prog_load = () => 0;");
    guest.file("site/strict/countersign.yaml", GUEST_CONFIGURATION);
    guest.file(
      "site/strict/policy.js",
      `
      import { deny, hash } from "countersign";
      export const bpf_prog_load = (prog) => (prog.type === "tracing" ? deny("no tracing here") : 0);
      export function kernel_read_file(file) {
        if (hash("sha256", file.data) !== "${digest}") return deny(\`\${file.name} at \${file.path} is not the module that is known\`);
        return file.parameters.includes("numdummies=2") ? 0 : deny("with other parameters");
      }`,
    );
    const recorded = GUEST_CONFIGURATION.replace("/tmp/log.jsonl", "/tmp/modules.jsonl, level: inputs");
    guest.file("site/modules/countersign.yaml", recorded);
    guest.file("site/modules/policy.js", "export const kernel_read_file = () => 0;");
    for (const [name, data] of modules) guest.file(`lib/modules/${name}.ko`, data);
    guest.file("lib/modules.sh", MODULES.map((name) => `insmod /lib/modules/${name}.ko\n`).join(""));
    guest.file("lib/tracers.o", compiled());
    guest.file("lib/strict.sh", STRICT);
    guest.program(execFileSync("sh", ["-c", "command -v bpftool"], { encoding: "utf8" }).trim(), "bin/bpftool");
    return guest.run(SCRIPT);
  });

  function compiled(): Uint8Array {
    const folder = mkdtempSync(join(tmpdir(), "tracers-"));
    writeFileSync(join(folder, "t.c"), TRACERS);
    const words = ["-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", "-c", "t.c", "-o", "t.o"];
    execFileSync("clang-19", words, { cwd: folder });
    const object = readFileSync(join(folder, "t.o"));
    rmSync(folder, { recursive: true });
    return object;
  }

  /** Node starts slowly in a guest: what one policy judges runs behind one gate. */
  const STRICT = `
say() { echo "$1: $2"; }
insmod /lib/ifb.ko; say "another module" $?
mkdir -p /tmp/shown; cp /lib/ifb.ko /tmp/shown/ifb.ko; exec 9</tmp/shown/ifb.ko; rm /tmp/shown/ifb.ko
insmod /proc/self/fd/9; say "a deleted module" $?
insmod /lib/dummy.ko; say "without parameters" $?
test -d /sys/module/dummy; say "is there" $?
insmod /lib/dummy.ko numdummies=2; say "with parameters" $?
test -d /sys/module/dummy; say "is there now" $?
bpftool prog loadall /lib/tracers.o /sys/fs/bpf/strict autoattach; say "tracers behind a strict gate" $?
`;
  const SCRIPT = `
gate() { where=$1; shift; node /countersign/bin/countersign.js run --quiet --config /site/$where/countersign.yaml -- "$@"; }
gate strict sh /lib/strict.sh
bpftool prog loadall /lib/tracers.o /sys/fs/bpf/bare autoattach; echo "tracers without a gate: $?"
gate allow bpftool prog loadall /lib/tracers.o /sys/fs/bpf/gated autoattach; echo "tracers behind a gate: $?"
ls /sys/fs/bpf/gated
grep -o '"reason":"policy: [^"]*' /tmp/log.jsonl
gate modules sh /lib/modules.sh
grep '"type":"subject"' /tmp/modules.jsonl
`;
  const line = (what: string) => new RegExp(`^${what}: (\\d+)$`, "m").exec(ran().output)?.[1];

  it("boots, runs the script to its end, and powers off", () => {
    expect(ran().status, ran().console.slice(-2000)).not.toBeNull();
  });

  it("refuses a module that the policy does not know, and one with other parameters", () => {
    for (const what of ["another module", "a deleted module", "without parameters", "is there"])
      expect(line(what), `${what}: ${ran().output}`).toBe("1");
    expect(ran().output).toContain("policy: ifb at /lib/ifb.ko is not the module that is known");
    expect(ran().output).toContain("policy: unknown fact at ");
    expect(ran().output).toContain("policy: with other parameters");
  });

  it("knows of modules what is known offline and described, but for what the tables of facts name", () => {
    const known = new KnownFacts();
    const recorded = ran().output.match(/^\{.*"type":"subject".*\}$/gm) ?? [];
    const all = recorded.map((line) => JSON.parse(line).content.facts as Readonly<Record<string, unknown>>);
    // Where finit_module(2) fails, insmod tries init_module(2), which has no file
    const live = all.filter(({ path }) => path !== null);
    const differences = live.flatMap((facts) => {
      const { path } = facts as { path: string };
      const data = modules.get(basename(path, ".ko"))!;
      const [offline] = subjectsOf(path, data, "kernel_read_file");
      const described = describedAs("module", "kernel_read_file", {
        ...facts,
        data: { hex: Buffer.from(data).toString("hex") },
      });
      return [
        ...known.differences("file", "offline", plainFacts("file", offline!), facts),
        ...known.differences("file", "described", plainFacts("file", described), facts),
      ];
    });
    expect(differences, differences.join("\n")).toEqual([]);
    expect(live.map(({ path }) => basename(`${path}`, ".ko"))).toEqual(MODULES);
    expect(live.length).toBeGreaterThanOrEqual(20);
  });

  it("loads the copy of the module that was judged, with its parameters", () => {
    expect([line("with parameters"), line("is there now")], ran().output).toEqual(["0", "0"]);
  });

  it("loads and attaches kprobe, fentry and LSM programs as without the gate", () => {
    expect(line("tracers without a gate"), ran().output).toBe("0");
    expect(line("tracers behind a gate"), ran().output).toBe("0");
    for (const name of ["by_kprobe", "by_fentry", "by_lsm"]) expect(ran().output).toContain(name);
  });

  it("refuses an fentry program by its type", () => {
    expect(line("tracers behind a strict gate"), ran().output).toBe("255");
    expect(ran().output).toContain("policy: no tracing here");
  });
});
