import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { until } from "../../support/until.js";
import { RunningProgram } from "./running-program.js";
import { BIN, type Done, done, type Site } from "./site.js";

/** The unit of deploy/, and where it has runtimes connect. */
export const UNIT = "countersign-agent.service";
export const SOCKET = "/run/countersign/agent.sock";
export const UNIT_FILE = fileURLToPath(new URL(`../../../deploy/${UNIT}`, import.meta.url));

const SYSTEMD = "/lib/systemd/systemd";
/** Where the unified hierarchy is: alone, or beside the older ones. */
const CGROUPS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/**
 * systemd as the first process of namespaces of its own, on this kernel: what a unit and its fd store do is systemd's
 * own doing. It has no units but those of a test, and ends with it.
 */
export class Machine {
  private constructor(
    private readonly first: RunningProgram,
    private readonly pid: number,
    private readonly cgroup: string,
  ) {}

  /**
   * A machine with these units and drop-ins, by their paths below a folder of units; or why there can be none. With a
   * `root`, systemd runs in that folder and has the units there too; `run` still runs commands of this machine.
   */
  static async boot(folder: string, units: Readonly<Record<string, string>>, root = ""): Promise<Machine | string> {
    if (!existsSync(join(root, SYSTEMD))) return "needs systemd";
    const hierarchy = CGROUPS.find(
      (path) => existsSync(join(path, "cgroup.procs")) && existsSync(join(path, "cgroup.controllers")),
    );
    if (hierarchy === undefined) return "needs cgroup v2";
    mkdirSync(join(folder, "units"), { recursive: true });
    for (const [path, text] of Object.entries(units)) {
      mkdirSync(join(folder, "units", path, ".."), { recursive: true });
      writeFileSync(join(folder, "units", path), text);
    }
    booted += 1;
    const cgroup = join(hierarchy, `countersign-machine-${process.pid}-${booted}`);
    mkdirSync(cgroup);
    writeFileSync(join(folder, "boot"), BOOT);
    const script = `echo $$ > ${cgroup}/cgroup.procs; exec unshare ${NAMESPACES} sh ${folder}/boot ${folder} ${root}`;
    const first = new RunningProgram("sh", ["-c", script]);
    for (let tries = 0; tries < 2400; tries += 1) {
      const pid = Number(spawnSync("pgrep", ["-x", "-P", String(first.pid), "systemd"], { encoding: "utf8" }).stdout);
      if (pid > 0) {
        const machine = new Machine(first, pid, cgroup);
        if (/^(running|degraded)/.test(machine.run("systemctl", "is-system-running").stdout)) return machine;
      }
      if (first.hasEnded) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await end(first, cgroup);
    return `systemd does not come up in namespaces here: ${first.complaint.trim()}`;
  }

  /**
   * A machine that runs the unit of deploy/ for a site: only what it starts, and where that reads and writes, are the
   * site's.
   */
  static async withAgent(site: Site, options: readonly string[] = []): Promise<Machine | string> {
    const config = join(site.folder, "countersign.yaml");
    const words = [
      process.execPath,
      BIN,
      "agent",
      "--socket",
      SOCKET,
      "--config",
      config,
      "--metrics",
      "127.0.0.1:0",
      ...options,
    ];
    const machine = await Machine.boot(site.folder, {
      [UNIT]: readFileSync(UNIT_FILE, "utf8"),
      [`${UNIT}.d/test.conf`]: `[Service]\nExecStart=\nExecStart=${words.join(" ")}\nStandardError=append:${site.folder}/said\n`,
    });
    if (typeof machine === "string") return machine;
    const { status, stderr } = machine.run("systemctl", "start", UNIT);
    if (status !== 0) {
      await machine.end(); // nobody else would end it, and its agent is started again for ever
      throw new Error(stderr);
    }
    return machine;
  }

  /** The words that run a command inside. */
  words(...command: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", "--target", String(this.pid), "--mount", "--pid", "--cgroup", "--ipc", "--uts", ...command];
  }

  run(...command: readonly string[]): Done {
    // systemctl would do nothing where it runs in another root than systemd
    return done(this.words(...command), { SYSTEMD_IGNORE_CHROOT: "1" });
  }

  /** Waits until the agent of a site has said something. */
  async said(site: Site, what: RegExp): Promise<void> {
    await until(() => expect(readFileSync(join(site.folder, "said"), "utf8")).toMatch(what));
  }

  /** A unit's property, as `systemctl show` has it. */
  property(unit: string, name: string): string {
    return this.run("systemctl", "show", "--property", name, "--value", unit).stdout.trim();
  }

  end(): Promise<void> {
    return end(this.first, this.cgroup);
  }
}

/** Machines of this test file, which have cgroups of their own. */
let booted = 0;

/** Ends the first process, and with it all that is inside. The cgroup is busy until the last process has ended. */
async function end(first: RunningProgram, cgroup: string): Promise<void> {
  await first.end();
  await until(() => {
    spawnSync("find", [cgroup, "-depth", "-mindepth", "1", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    rmdirSync(cgroup);
  });
}

const NAMESPACES = "--pid --fork --mount --cgroup --ipc --uts --kill-child";

/**
 * Everything is mounted out of sight of the machine around it, what is the kernel's own stays as it is, and no unit of
 * Debian's is started.
 */
const BOOT = `set -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /run
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /etc/systemd/system
mkdir -p /run/systemd/system
cp -r "$1"/units/. /run/systemd/system
for target in sysinit basic shutdown multi-user; do printf '[Unit]\\nDescription=nothing\\n' > /run/systemd/system/$target.target; done
units=/run/systemd/system
if [ -n "$2" ]; then
  for folder in proc sys dev run; do mount --rbind /$folder "$2/$folder"; done
  mount -t tmpfs tmpfs "$2/etc/systemd/system"
  units=$units:/usr/lib/systemd/system
fi
exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=$units SYSTEMD_GENERATOR_PATH= \\
  \${2:+chroot "$2"} ${SYSTEMD} --system --unit=basic.target
`;
