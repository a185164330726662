import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  type DoctorFinding,
  listFindings,
  loadedFinding,
  machineFindings,
  slotFinding,
  verityFindings,
} from "../../../../src/seal/doctor/checks.js";
import { Machine } from "../../../../src/seal/doctor/machine.js";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
const STUB = "sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/** A machine on which everything is as it should be. */
const SOUND: Readonly<Record<string, string>> = {
  "sys/kernel/security/lsm": "lockdown,capability,landlock,yama,apparmor,bpf,ima",
  "proc/cmdline": "root=/dev/vda1 lockdown=integrity nohibernate\n",
  "sys/kernel/btf/vmlinux": "",
  "proc/sys/net/core/bpf_jit_enable": "1\n",
  "sys/fs/cgroup/cgroup.controllers": "cpu memory",
  "proc/sys/kernel/ftrace_enabled": "1\n",
  "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
  "proc/modules": "floppy_like 4096 0 - Live 0x0000000000000000\next4 1 0 floppy, Live 0x0000000000000000\n",
  [SECURE_BOOT]: "\x06\0\0\0\x01",
  [STUB]: "",
  "sys/power/state": "freeze mem\n",
  "sys/class/iommu/dmar0": "",
  "sys/kernel/kexec_crash_loaded": "0\n",
};

/** A machine with other files; null removes one. */
function machine(changes: Readonly<Record<string, string | null>> = {}): Machine {
  const root = mkdtempSync(join(tmpdir(), "countersign-doctor-"));
  folders.push(root);
  for (const [path, text] of Object.entries({ ...SOUND, ...changes })) {
    if (text === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return new Machine(root);
}

const brief = ({ name, state }: DoctorFinding) => `${name}: ${state}`;

describe("seal doctor", () => {
  it("finds nothing on a machine that is as it should be", () => {
    const findings = machineFindings(machine());
    expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(findings.find(({ name }) => name === "Secure Boot")!.detail).toMatch(/signed nothing .*, such as shim$/);
    expect(findings.every(({ remedy }) => remedy === null)).toBe(true);
    expect(findings.map(({ name }) => name)).toEqual([
      ...["BPF_LSM", "order of lsm=", "BTF", "JIT", "cgroup v2", "ftrace_enabled", "lockdown", "modules"],
      ...["Secure Boot", "UKI", "hibernation", "IOMMU", "kdump"],
    ]);
  });

  it.each<readonly [string, Readonly<Record<string, string | null>>]>([
    ["BPF_LSM: missing", { "sys/kernel/security/lsm": "lockdown,capability" }],
    ["BPF_LSM: missing", { "sys/kernel/security/lsm": null }],
    ["order of lsm=: missing", { "proc/cmdline": "lsm=landlock,apparmor" }],
    ["order of lsm=: weak", { "proc/cmdline": "quiet lsm=landlock,bpf" }],
    ["BTF: missing", { "sys/kernel/btf/vmlinux": null }],
    ["JIT: missing", { "proc/sys/net/core/bpf_jit_enable": "0\n" }],
    ["cgroup v2: missing", { "sys/fs/cgroup/cgroup.controllers": null }],
    ["ftrace_enabled: missing", { "proc/sys/kernel/ftrace_enabled": "0\n" }],
    ["lockdown: weak", { "sys/kernel/security/lockdown": "[none] integrity confidentiality\n" }],
    ["lockdown: weak", { "sys/kernel/security/lockdown": null }],
    ["lockdown: missing", { "sys/kernel/security/lockdown": "none integrity [confidentiality]\n" }],
    ["modules: weak", { "proc/modules": null }],
    ["modules: weak", { "proc/modules": "ext4 1 0 - Live 0x0\nipmi_si 86016 0 - Live 0x0\n" }],
    ["modules: weak", { "sys/module/ipmi_si/parameters/hotmod": "" }],
    ["Secure Boot: weak", { [SECURE_BOOT]: "\x06\0\0\0\0" }],
    ["Secure Boot: weak", { [SECURE_BOOT]: null }],
    ["UKI: weak", { [STUB]: null }],
    ["hibernation: weak", { "sys/power/state": "freeze mem disk\n" }],
    ["IOMMU: weak", { "sys/class/iommu/dmar0": null }],
    ["kdump: weak", { "sys/kernel/kexec_crash_loaded": "1\n" }],
  ])("finds %s", (expected, changes) => {
    const found = machineFindings(machine(changes)).filter(({ state }) => state !== "ok");
    expect(found.map(brief)).toEqual([expected]);
    expect(found[0]!.remedy).toMatch(/\w/);
  });

  it("tells modules that can be unloaded from those that are built into the kernel", () => {
    const hotmod = { "sys/module/ipmi_si/parameters/hotmod": "" };
    const loaded = { "proc/modules": "arc_rimi 4096 0 - Live 0x0\nipmi_si 86016 0 - Live 0x0\n" };
    const found = (changes: Readonly<Record<string, string>>) =>
      machineFindings(machine(changes)).find(({ name }) => name === "modules")!;
    expect(found({ ...hotmod, ...loaded }).remedy).toBe("modprobe -r arc_rimi ipmi_si");
    expect(found(hotmod)).toMatchObject({
      detail: "root can write memory by parameters of ipmi_si (built into the kernel)",
      remedy: "boot a kernel that has no ipmi_si built in",
    });
    expect(found({ "sys/module/ipmi_si/parameters/kipmid_max_busy_us": "" }).state).toBe("ok");
  });

  it("counts the slots of the root cgroup", () => {
    expect(slotFinding(0, 10, 10)).toMatchObject({ state: "ok", detail: "10 of 10, and the guard takes 10" });
    expect(slotFinding(1, 10, 10)).toMatchObject({ state: "missing", detail: "9 of 10, and the guard takes 10" });
    expect(slotFinding(null, 10, 10)).toMatchObject({ state: "weak" });
  });

  it("names programs that are loaded and not listed", () => {
    expect(loadedFinding(2, null)).toMatchObject({ state: "weak" });
    expect(loadedFinding(2, [])).toMatchObject({ state: "ok", detail: "2, all listed" });
    expect(loadedFinding(7, ["a", "b", "c", "d", "e", "f"])).toMatchObject({
      state: "missing",
      detail: "not listed: a, b, c, d, e and 1 more",
    });
  });

  it("looks for a list of each kernel that can boot", () => {
    const installed = machine({
      "lib/modules/6.12/x": "",
      "lib/modules/7.3/x": "",
      "lib/modules/left-behind/x": "",
      "boot/vmlinuz-6.12": "",
      "boot/vmlinuz-7.3": "",
    });
    expect(listFindings(installed, new Set(["6.12"])).map(brief)).toEqual([
      "list for 6.12: ok",
      "list for 7.3: missing",
    ]);
    expect(listFindings(installed, null).map(brief)).toEqual(["lists: weak"]);
  });

  it("looks at the file system of each executable of a scope", () => {
    const found = verityFindings(machine(), ["/proc/self/exe", "/nowhere/bin/*"]);
    expect(found.map(brief)).toEqual(["fs-verity of /proc/self/exe: missing", "fs-verity of /nowhere/bin/*: missing"]);
    expect(found[1]!.detail).toBe("there is no /nowhere/bin/");
  });
});
