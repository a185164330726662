/** Debian with systemd on a machine that its initramfs has sealed. */
import { describe, expect, it } from "vitest";
import { guardReason } from "../../../src/seal/status/reasons.js";
import { compileProgram } from "./guests/sealed-guest.js";
import { linesWith, runSystemd, type SystemdMachine } from "./guests/systemd-machine.js";

/** Each rule of this unit is a BPF program. */
const LIMITED = `[Service]
Type=oneshot
DevicePolicy=closed
IPAddressDeny=any
SocketBindDeny=any
RestrictNetworkInterfaces=lo
RestrictFileSystems=~tracefs
ExecStart=/bin/sh /test-limits
`;
const LIMITS = `
dd if=/dev/nvme0n1 of=/dev/null count=1 2>&1 | grep -q "not permitted" && echo "rule: device"
echo x > /dev/null && echo "rule: null"
busybox ping -c 1 -W 2 127.0.0.1 2>&1 | grep -q "not permitted" && echo "rule: address"
busybox nc -l -p 5555 -w 1 2>&1 </dev/null | grep -q "not permitted" && echo "rule: bind"
busybox cat /sys/kernel/tracing/current_tracer 2>&1 | grep -q "not permitted" && echo "rule: file system"
`;

/** Without `&`, which sed replaces. */
const COMMAND = "echo in the container; if echo x > /dev/null; then echo null is open; fi";
const TEST = `
systemctl start systemd-networkd.service; systemctl start limited.service; echo "limited: $?"
# the unit may not open the console
journalctl --sync; journalctl -u limited.service --no-pager -o cat
mkdir -p /run/bundle/rootfs/bin && cd /run/bundle && cp /usr/bin/busybox rootfs/bin/ && ln -s busybox rootfs/bin/sh
runc spec && sed -i 's/"terminal": true/"terminal": false/; s|"sh"|"sh","-c","${COMMAND}"|' config.json
runc run test; echo "runc: $?"
systemctl list-units --failed --no-legend --plain | sed 's/^/failed: /'
journalctl -b --no-pager -o cat | grep -iE "bpf|proceeding without|firewalling" | sed 's/^/journal: /'
/denials
`;

const machine = (): SystemdMachine => ({
  list: (ofSystemd) => ofSystemd,
  units: { "limited.service": LIMITED },
  files: { "test-limits": LIMITS },
  programs: { denials: compileProgram("denials") },
  test: TEST,
});

describe.for(["6.12", "7.3"] as const)("Debian with systemd, sealed by its initramfs, on %s", (kernel) => {
  it("loses no rule of a unit, and starts a container of runc", ({ skip }) => {
    if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes minutes: nightly");
    const ran = runSystemd(kernel, machine());
    if (typeof ran === "string") return skip(ran);
    expect(ran.status, ran.console.slice(-3000)).toBe(0);
    expect(linesWith(ran, "rule: ")).toEqual(["device", "null", "address", "bind", "file system"]);
    expect(linesWith(ran, "limited: ")).toEqual(["0"]);
    expect(ran.output).toContain("in the container\nnull is open\n");
    expect(linesWith(ran, "runc: ")).toEqual(["0"]);
    expect(linesWith(ran, "failed: ")).toEqual([]);
    expect(ran.output).not.toMatch(/Proceeding WITHOUT|does not support|BPF.*[Ff]ailed|Failed.*BPF/);
    // libbpf asks for a token and does without one; systemd-networkd does without its monitor of sysctls
    const denied = new Set(linesWith(ran, "denial ").map((line) => guardReason(Number(line.split(" ")[0])).name));
    expect([...denied].filter((name) => !["canary", "token", "own_hook"].includes(name))).toEqual([]);
  });
});
