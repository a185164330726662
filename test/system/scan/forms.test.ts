import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../support/until.js";
import { Machine } from "../gate/machine.js";
import { RunningProgram } from "../gate/running-program.js";
import { type Line, needsScan, scanned } from "./scan-site.js";

/** What is in the section of each unit. */
const UNITS = {
  closed: "DevicePolicy=closed",
  private: "PrivateDevices=yes",
  some: "DevicePolicy=strict\nDeviceAllow=/dev/null rw\nDeviceAllow=char-pts r\nDeviceAllow=block-* rwm\nDeviceAllow=char-* w",
  auto: "DeviceAllow=/dev/null rw",
  deny: "IPAddressDeny=any",
  allow: "IPAddressDeny=any\nIPAddressAllow=localhost",
  lists: "IPAddressDeny=10.0.0.0/8 fc00::/7\nIPAddressAllow=10.1.0.0/16\nIPAccounting=yes",
  account: "IPAccounting=yes",
  both: "IPAddressDeny=any\nIPAddressAllow=any",
  counted: "IPAddressDeny=any\nIPAccounting=yes",
};

/** Rules of devices, of the OCI runtime specification. */
const RULES = {
  usual: [{ allow: false, access: "rwm" }],
  some: [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", major: 10, minor: 200, access: "rw" },
    { allow: true, type: "b", access: "m" },
    { allow: true, type: "c", major: 7, access: "rwm" },
  ],
  others: [
    { allow: true, access: "rwm" },
    { allow: false, type: "c", major: 10, minor: 200, access: "rwm" },
  ],
};

describe("programs that tools generate", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-forms-"));
  const containers: { readonly runtime: string; readonly id: string; readonly running: RunningProgram }[] = [];
  let machine: Machine | string | null = null;

  beforeEach(async (context) => {
    needsScan(context, "runc", "crun", "busybox", "systemctl");
    const unit = (more: string) => `[Service]\nExecStart=/bin/sleep 1000\n${more}\n`;
    const units = Object.entries(UNITS).map(([name, more]) => [`${name}.service`, unit(more)]);
    machine ??= await Machine.boot(folder, Object.fromEntries(units));
    if (typeof machine === "string") context.skip(machine);
  });
  afterAll(async () => {
    if (machine instanceof Machine) {
      for (const { runtime, id, running } of containers) {
        machine.run(runtime, "delete", "--force", id);
        await running.end();
      }
      await machine.end();
    }
    rmSync(folder, { recursive: true });
  });

  /** The programs of the scan by the paths of their cgroups below that of the machine. */
  function programsIn(type: RegExp, cgroup: RegExp): readonly Line[] {
    const { lines } = scanned();
    const ids = lines.filter(({ at, path }) => at === "cgroup" && cgroup.test(path)).map(({ program }) => program);
    return lines.filter((line) => line.kind === "program" && type.test(line.type) && ids.includes(line.id));
  }

  it("are recognised as those of systemd", () => {
    for (const name of Object.keys(UNITS))
      expect((machine as Machine).run("systemctl", "start", `${name}.service`)).toMatchObject({
        stderr: "",
        status: 0,
      });
    const found = programsIn(/^cgroup_(?:device|skb)$/, /^\/countersign-machine-.*\.service$/);
    expect(found.map(({ name, form }) => [name, form?.tool, form?.purpose])).toEqual([
      ...Array.from({ length: 4 }, () => ["sd_devices", "systemd", "device policy"]),
      ...Array.from({ length: 6 }, () =>
        ["sd_fw_egress", "sd_fw_ingress"].map((name) => [name, "systemd", "IP accounting and access lists"]),
      ).flat(),
    ]);
  });

  it.each(["runc", "crun"])("are recognised as those of %s", async (runtime) => {
    for (const [name, devices] of Object.entries(RULES)) {
      const [id, bundle] = [`forms-${runtime}-${name}`, join(folder, `${runtime}-${name}`)];
      for (const each of ["bin", "dev", "proc", "sys"]) mkdirSync(join(bundle, "rootfs", each), { recursive: true });
      copyFileSync("/usr/bin/busybox", join(bundle, "rootfs/bin/sh"));
      execFileSync("runc", ["spec"], { cwd: bundle });
      const config = JSON.parse(readFileSync(join(bundle, "config.json"), "utf8"));
      config.process = { ...config.process, terminal: false, args: ["/bin/sh", "-c", "echo ready; exec sleep 1000"] };
      config.linux.resources = { devices };
      writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
      const [file, ...words] = (machine as Machine).words(runtime, "run", "--bundle", bundle, id);
      const running = new RunningProgram(file, words);
      containers.push({ runtime, id, running });
      expect(await running.line(), running.complaint).toBe("ready");
    }
    await until(() => {
      const found = programsIn(/^cgroup_device$/, new RegExp(`/forms-${runtime}-`));
      const form = { tool: runtime, purpose: "device rules of a container", attach_type: "cgroup_device" };
      expect(found.map((program) => program.form)).toEqual(Object.keys(RULES).map(() => form));
    });
  });
});
