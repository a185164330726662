/**
 * Root in a service asks systemd by D-Bus to start a process in another cgroup, or to move one there. Without a seal
 * that lifts a rule that is only for the cgroup of the service; a list is for all cgroups.
 */
import { describe, expect, it } from "vitest";
import { casesOf } from "../../../src/seal/attacks/rule-attacks.js";
import { encodeList, type List, parseList } from "../../../src/seal/list.js";
import type { Ran } from "../guest/guest.js";
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
const OTHER = `[Service]
Delegate=yes
ExecStart=/usr/bin/sleep infinity
`;

const MANAGER = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
/** `try NAME WORD…` has the words, with a command after them, load the two programs. */
const LOAD = `
try() { name="$1"; shift; "$@" /load-value ${LISTED} ${UNLISTED} 2>&1 | sed "s|^|$name: |"; }
first() { echo "$1"' && exec "$@"'; }
try "$1, inside" env
try "$1, systemd-run" systemd-run --quiet --pipe --wait
try "$1, socket in /proc/1/root" \\
  env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/proc/1/root/run/dbus/system_bus_socket systemd-run --quiet --pipe --wait
try "$1, systemd-run --scope" systemd-run --quiet --scope
try "$1, AttachProcessesToUnit" \\
  sh -c "$(first 'busctl call ${MANAGER} AttachProcessesToUnit ssau other.service "" 1 $$')" sh
try "$1, CLONE_INTO_CGROUP" /into-cgroup /sys/fs/cgroup/system.slice/other.service
try "$1, cgroup.procs" sh -c "$(first 'echo $$ > /sys/fs/cgroup/cgroup.procs')" sh
`;
const UNITS = {
  "open.service": service("open"),
  "read-only.service": service("read-only", READ_ONLY),
  "closed.service": service("closed", CLOSED),
};
const TEST = `
systemctl start other.service
systemctl start ${Object.keys(UNITS).join(" ")}
journalctl --sync
journalctl ${Object.keys(UNITS)
  .map((unit) => `-u ${unit}`)
  .join(" ")} --no-pager -o cat
`;

function boot(kernel: SealKernel, list: ((ofSystemd: List) => List) | null): Ran | string {
  const programs = ["deny-loads", "into-cgroup", "load-value"];
  return runSystemd(kernel, {
    list,
    units: { ...UNITS, "other.service": OTHER },
    scripts: { load: LOAD },
    programs: Object.fromEntries(programs.map((name) => [name, compileProgram(name)])),
    test: TEST,
  });
}

const withListed = ({ header, entries }: List): List =>
  parseList(encodeList([...entries, ...listOfValues([LISTED]).entries], header));

/** How the two loads of a service ended, and why there were none. */
const loads = (ran: Ran, service: string, way: string) => linesWith(ran, `${service}, ${way}: `);
const WAYS = [...casesOf("systemd-run"), "socket in /proc/1/root", "CLONE_INTO_CGROUP", "cgroup.procs"];
const SERVICES = ["open", "read-only", "closed"];
const ALL = [`program ${LISTED}: loaded`, `program ${UNLISTED}: loaded`];
const NONE = [`program ${LISTED}: EPERM`, `program ${UNLISTED}: EPERM`];
const ONLY_LISTED = [`program ${LISTED}: loaded`, `program ${UNLISTED}: EPERM`];

/** The ways by which a service loaded what its rule denies. */
const waysOut = (ran: Ran, service: string) => WAYS.filter((way) => loads(ran, service, way).includes(ALL[1]!));

describe.for(["6.12", "7.3"] as const)("root in a service of systemd, on %s", (kernel) => {
  it("gets out of a rule for its cgroup, unless it reaches neither systemd nor other cgroups", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = boot(kernel, null);
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    for (const each of SERVICES) {
      expect(loads(ran, each, "inside"), ran.output).toEqual(NONE);
      for (const way of WAYS) expect(loads(ran, each, way), `${each}, ${way}`).not.toEqual([]);
    }
    expect(waysOut(ran, "open"), ran.output).toEqual(WAYS);
    // a mount that is read-only has no effect on clone3(2)
    expect(waysOut(ran, "read-only"), ran.output).toEqual(["CLONE_INTO_CGROUP"]);
    expect(waysOut(ran, "closed"), ran.output).toEqual([]);
  });

  it("loads only what is listed wherever it gets on a sealed machine", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = boot(kernel, withListed);
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    for (const each of SERVICES) expect(loads(ran, each, "inside"), ran.output).toEqual(ONLY_LISTED);
    for (const way of WAYS) expect(loads(ran, "open", way), ran.output).toEqual(ONLY_LISTED);
    for (const each of SERVICES) expect(waysOut(ran, each)).toEqual([]);
  });
});
