import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";
import { Containers, type Wanted } from "../gate/containers.js";
import { FREE, held, type Outcomes, oldProfileText, outcomesOf, URING } from "../gate/listener-outcomes.js";
import { kernelOfSuite } from "./kernel.js";

const SOCKET = "/run/countersign/agent.sock";
/** One of them in CI would take longer than the test on this machine's kernel, which is in test/system/gate. */
const KERNELS = ["6.1", "6.12", "7.3"] as const;
const NEEDED = ["qemu-system-x86_64", "busybox", "dpkg-deb", "mkfs.ext4", "gcc", "runc", "crun", "podman"];
/** The agent of a guest needs no policy: nothing that it decides takes long. */
const CONFIGURATION = "version: 1\nattachments: []\ndefault: { bpf_prog_load: deny }\n";

/** Containers' outcomes by runtime and bundle, on one kernel. */
function outcomesOn(kernel: string): Readonly<Record<string, Outcomes>> {
  // guest-ring.sh shows the guest this machine's /tmp
  const folder = mkdtempSync("/tmp/countersign-listener-");
  try {
    const program = join(folder, "listener-static");
    const source = own("test/system/attack/listener.c");
    execFileSync("gcc", ["-O2", "-static", "-pthread", "-o", program, source]);
    const profile = readFileSync(own("deploy/seccomp.json"), "utf8");
    for (const [name, text] of [
      ["new.json", profile],
      ["old.json", oldProfileText()],
      ["countersign.yaml", CONFIGURATION],
      ["containers.conf", '[containers]\ndefault_sysctls = []\n[engine]\nevents_logger = "none"\n'],
    ] as const)
      writeFileSync(join(folder, name), text);
    const containers = new Containers(folder, SOCKET, program);
    const shared = { ownPids: false, without: ["CAP_SYS_PTRACE"] };
    const bundles: Readonly<Record<string, readonly [Wanted, ...string[]]>> = {
      served: [{}],
      shared: [shared],
      old: [{ profile: join(folder, "old.json") }],
      outlive: [{}, "wait"],
    };
    for (const [name, [wanted, ...words]] of Object.entries(bundles))
      renameSync(containers.bundle(["/bin/attack", ...words], wanted).folder, join(folder, name));
    const words = ["--kernel", kernel, "--memory", "3072", "--seconds", "3000", "--script"];
    const { stdout, stderr } = spawnSync(
      "bash",
      [own("scripts/guest-ring.sh"), ...words, own("test/system/guest/listener.sh"), folder],
      { encoding: "utf8", maxBuffer: 1 << 26 },
    );
    const parts = stdout
      .replaceAll("\r", "")
      .split(/^PART (.*)\n/m)
      .slice(1);
    expect(parts.at(-2), `${stdout.slice(-3000)}${stderr}`).toBe("end");
    return Object.fromEntries(
      parts.flatMap((name, at) => (at % 2 === 0 ? [[name, outcomesOf(parts[at + 1] ?? "")]] : [])),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a listener of its own, on other kernels", () => {
  it.for(KERNELS)(
    "is not to be had on Linux %s, under runc, crun and podman: served, rejected, and after the agent has ended",
    (name, context) => {
      if (process.env.COUNTERSIGN_NIGHTLY === undefined) context.skip("takes minutes: nightly");
      for (const program of NEEDED)
        if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) context.skip(`needs ${program}`);
      if (process.getuid?.() !== 0) context.skip("needs root");
      const kernel = kernelOfSuite(name);
      if (typeof kernel === "string") return context.skip(kernel);
      const found = outcomesOn(kernel.folder);
      expect(found.bare).toMatchObject({ ...FREE, ...URING });
      // the configuration denies loads alone; libseccomp ends tasks that call by another ABI
      const served = { bpf: "EPERM", foreign: "SYS", fast: false, issued: false };
      for (const runtime of ["runc", "crun", "podman"]) {
        const of = (bundle: string) => found[`${runtime} ${bundle}`];
        expect(of("served"), runtime).toMatchObject({
          "x86-64, listener, a filter": "EBUSY",
          "x86-64, listener, NULL": "EFAULT",
          "x86-64, listener, no memory": "EBUSY",
          "a load under its own listener": "EPERM",
          "seizing with suspended filters": "EPERM",
          "a load": "EPERM",
        });
        if (runtime !== "podman") {
          expect(of("shared"), runtime).toEqual(held(served));
          expect(of("shared"), runtime).toMatchObject({ "fds of the gate": "none" });
        }
        expect(of("old"), runtime).toEqual(held({ ...served, current: false }));
        expect(of("outlive"), runtime).toEqual(held({ ...served, bpf: "ENOSYS" }));
      }
    },
  );
});
