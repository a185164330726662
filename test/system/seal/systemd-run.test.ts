/**
 * Somebody in a service or a container asks systemd by D-Bus to start a process in another cgroup, or to move one
 * there. Without a seal that lifts a rule that is only for one cgroup; a list is for all cgroups.
 */
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeList, type List, parseList } from "../../../src/seal/list.js";
import type { Ran } from "../guest/guest.js";
import { containerConfig } from "./guests/runc-container.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram, listOfValues } from "./guests/sealed-guest.js";
import { linesWith, runSystemd } from "./guests/systemd-machine.js";

const LISTED = 1;
const UNLISTED = 2;

/** A service with a rule for its cgroup only. Under a seal the guard denies the program that is the rule. */
const service = (name: string, more = "") => `[Service]
Type=oneshot
ExecStartPre=-+/deny-loads /sys/fs/cgroup/system.slice/${name}.service
ExecStart=/bin/sh /load ${name}
${more}`;
/** What docs/seal.md recommends for such a service. */
const CLOSED = `InaccessiblePaths=/run/dbus/system_bus_socket /run/systemd/private
ProtectControlGroups=strict
ProtectSystem=strict
CapabilityBoundingSet=~CAP_SYS_ADMIN CAP_SYS_PTRACE
`;
/** The cgroup file system of the machine, mounted read-only. */
const READ_ONLY = CLOSED.replace("ProtectControlGroups=strict", "ProtectControlGroups=yes");
/** A service with a user of its own, who may load programs. */
const ofUser = (name: string) => service(name, `User=${name}\nAmbientCapabilities=CAP_BPF\n`);
/** Whom polkit allows everything that it is asked about units; it knows nothing of the user `daemon`. */
const POLKIT_RULES = `polkit.addRule(function (action, subject) {
  if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "games") return polkit.Result.YES;
});
`;
const other = (more = "") => `[Service]
Delegate=yes
ExecStart=/usr/bin/sleep infinity
${more}`;

const MANAGER = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
/** `try NAME WORD…` has the words, with a command after them, load the two programs. systemd-run wants a folder. */
const LOAD = `
mkdir -p /run/systemd/system 2>/dev/null
try() { name="$1"; shift; "$@" /load-value ${LISTED} ${UNLISTED} 2>&1 | sed "s|^|$name: |"; }
first() { echo "$1"' && exec "$@"'; }
try "$1, inside" env
try "$1, systemd-run" systemd-run --quiet --pipe --wait
try "$1, socket in /proc/1/root" \\
  env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/proc/1/root/run/dbus/system_bus_socket systemd-run --quiet --pipe --wait
try "$1, systemd-run --scope" systemd-run --quiet --scope
try "$1, AttachProcessesToUnit" \\
  sh -c "$(first 'busctl call ${MANAGER} AttachProcessesToUnit ssau other.service "" 1 $$')" sh
try "$1, AttachProcessesToUnit, unit of the user" \\
  sh -c "$(first 'busctl call ${MANAGER} AttachProcessesToUnit ssau '"$1"'-other.service "" 1 $$')" sh
try "$1, CLONE_INTO_CGROUP" /into-cgroup /sys/fs/cgroup/system.slice/other.service
try "$1, cgroup.procs" sh -c "$(first 'echo $$ > /sys/fs/cgroup/cgroup.procs')" sh
`;
const UNITS = {
  "open.service": service("open"),
  "read-only.service": service("read-only", READ_ONLY),
  "closed.service": service("closed", CLOSED),
  "daemon.service": ofUser("daemon"),
  "games.service": ofUser("games"),
};
/** Units that processes are moved to, each of a user. */
const OTHERS = {
  "other.service": other(),
  "daemon-other.service": other("User=daemon\n"),
};
/** Containers of runc in which root has CAP_BPF, by the files of this machine that are passed in. */
const CONTAINERS = {
  "container-with-bus": ["/run/dbus/system_bus_socket"],
  container: [],
};
const TEST = `
systemctl start polkit.service ${Object.keys(OTHERS).join(" ")}
systemctl start ${Object.keys(UNITS).join(" ")}
mkdir -p /run/rootfs && mount --bind / /run/rootfs
${Object.keys(CONTAINERS)
  .map((name) => `runc run --bundle /bundle-${name} ${name}`)
  .join("\n")}
journalctl --sync
journalctl ${Object.keys(UNITS)
  .map((unit) => `-u ${unit}`)
  .join(" ")} --no-pager -o cat
`;

/** A container with a rule for its cgroup only. */
const bundle = (name: string, passed: readonly string[]) =>
  containerConfig({
    ...{ root: "/run/rootfs", cgroup: `/containers/${name}`, capabilities: ["CAP_BPF"], passed },
    command: ["/bin/sh", "/load", name],
    created: `/deny-loads /sys/fs/cgroup/containers/${name} || :`,
  });

function boot(kernel: SealKernel, list: ((ofSystemd: List) => List) | null): Ran | string {
  const programs = ["deny-loads", "into-cgroup", "load-value"];
  return runSystemd(kernel, {
    list,
    units: { ...UNITS, ...OTHERS },
    files: {
      load: LOAD,
      "etc/polkit-1/rules.d/50-games.rules": POLKIT_RULES,
      ...Object.fromEntries(
        Object.entries(CONTAINERS).map(([name, passed]) => [`bundle-${name}/config.json`, bundle(name, passed)]),
      ),
    },
    programs: Object.fromEntries(programs.map((name) => [name, compileProgram(name)])),
    test: TEST,
  });
}

const withListed = ({ header, entries, classes }: List): List =>
  parseList(encodeList([...entries, ...listOfValues([LISTED]).entries], header, classes));

/** How the two loads in a service or a container ended, or why there were none. */
const loads = (ran: Ran, place: string, way: string) => linesWith(ran, `${place}, ${way}: `);
const WAYS = [...casesOf("systemd-run"), "CLONE_INTO_CGROUP", "cgroup.procs"];
/** The ways by which each gets out of its rule where there is no seal. */
const WAYS_OUT: Readonly<Record<string, readonly string[]>> = {
  open: WAYS.filter((way) => way !== "AttachProcessesToUnit, unit of the user"),
  // a mount that is read-only has no effect on clone3(2)
  "read-only": ["CLONE_INTO_CGROUP"],
  closed: [],
  // polkit is not asked about a unit of the same user
  daemon: ["AttachProcessesToUnit, unit of the user"],
  games: ["systemd-run", "systemd-run --scope"],
  "container-with-bus": ["systemd-run", "socket in /proc/1/root"],
  container: [],
};
const PLACES = Object.keys(WAYS_OUT);
const OUT = `program ${UNLISTED}: loaded`;
const NONE = [`program ${LISTED}: EPERM`, `program ${UNLISTED}: EPERM`];
const ONLY_LISTED = [`program ${LISTED}: loaded`, `program ${UNLISTED}: EPERM`];

/** The ways by which a service or a container loaded what its rule denies. */
const waysOut = (ran: Ran, place: string) => WAYS.filter((way) => loads(ran, place, way).includes(OUT));

describe.for(["6.12", "7.3"] as const)("a service or a container beside systemd, on %s", (kernel) => {
  it("gets out of a rule for its cgroup, unless it reaches neither systemd nor other cgroups", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = boot(kernel, null);
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    for (const each of PLACES) {
      expect(loads(ran, each, "inside"), ran.output).toEqual(NONE);
      for (const way of WAYS) expect(loads(ran, each, way), `${each}, ${way}`).not.toEqual([]);
    }
    expect(Object.fromEntries(PLACES.map((each) => [each, waysOut(ran, each)])), ran.output).toEqual(WAYS_OUT);
  });

  it("loads only what is listed wherever it gets on a sealed machine", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = boot(kernel, withListed);
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    for (const each of PLACES) {
      expect(loads(ran, each, "inside"), ran.output).toEqual(ONLY_LISTED);
      for (const way of WAYS_OUT[each]!) expect(loads(ran, each, way), ran.output).toEqual(ONLY_LISTED);
      expect(waysOut(ran, each)).toEqual([]);
    }
  });
});
