import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DebianKernel } from "../core/debian-kernels.js";
import { compiled } from "../scan/scan-site.js";
import { addLinks } from "./boot.js";
import { DebianGuest } from "./debian-guest.js";
import type { Ran } from "./guest.js";
import { kernelOfSuite } from "./kernel.js";

const KIND_MODULES = ["tun", "dummy", "sch_ingress", "sch_htb", "cls_bpf", "cls_matchall", "act_bpf"];

/** Attaches what kinds.c has pinned, and removes the pins: what is left are the attachments. */
const ATTACH_KINDS = `
for each in d0 d1; do ip link add $each type dummy; ip link set $each up; done; ip addr add 10.7.0.1/16 dev d0
/usr/sbin/tc qdisc add dev lo clsact
/usr/sbin/tc filter add dev lo ingress bpf da object-pinned /pins/kind_ingress
/usr/sbin/tc filter add dev lo egress bpf da object-pinned /pins/kind_egress
/usr/sbin/tc qdisc add dev d0 root handle 1: htb
/usr/sbin/tc class add dev d0 parent 1: classid 1:10 htb rate 1mbit
/usr/sbin/tc filter add dev d0 parent 1:10 bpf da object-pinned /pins/kind_class
/usr/sbin/tc qdisc add dev d0 ingress_block 22 ingress
/usr/sbin/tc qdisc add dev d1 ingress_block 22 ingress
/usr/sbin/tc filter add block 22 bpf da object-pinned /pins/kind_block
/usr/sbin/tc actions add action bpf object-pinned /pins/kind_action index 7
/usr/sbin/tc filter add dev lo egress matchall action bpf object-pinned /pins/kind_used index 9
/usr/sbin/ip link set dev d0 xdpgeneric pinned /pins/kind_generic
/usr/sbin/ip route add 10.9.0.0/16 encap bpf xmit pinned /pins/kind_xmit dev d0
/usr/sbin/ip route add 10.8.0.0/16 encap bpf in pinned /pins/kind_in dev d0
/usr/sbin/ip -6 route add fc00:9::1/128 encap seg6local action End.BPF endpoint pinned /pins/kind_segment dev d0
mv /pins/kind_other_in /pins/other_in; rm /pins/kind_*
`;

interface Inside {
  /** Programs of links.bpf.c that the kernel does not load, with a comma after each. */
  readonly without: string;
  /** What is run while all programs are attached. */
  readonly inside: string;
  /** The files in /tmp that are printed at the end. */
  readonly parts: readonly string[];
  readonly seconds: number;
  /** Further files of the guest, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Boots a guest in which programs are attached in every way that is known; or the reason why this machine cannot. */
export function bootAttached(
  name: DebianKernel,
  { without, inside, parts, seconds, files = {} }: Inside,
): Ran | string {
  const kernel = kernelOfSuite(name);
  const guest = typeof kernel === "string" ? kernel : DebianGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "scan-guest-"));
  try {
    addLinks(guest, "links");
    // those of busybox have neither programs nor netkit
    guest.program("/usr/sbin/tc", "usr/sbin/tc");
    guest.program("/usr/sbin/ip", "usr/sbin/ip");
    for (const [path, contents] of Object.entries(files)) guest.file(path, contents);
    for (const program of ["attached", "socket-network", "kinds"])
      guest.program(compiled(program, folder), `bin/${program}`);
    return guest.run(
      [
        // an executable with the object after its end embeds it, as one with a skeleton does
        "cat /lib/links.o >> /bin/links",
        "mkdir /cgroup; mount -t cgroup2 cgroup /cgroup; mkdir /cgroup/a; ip link set lo up",
        "mkdir /pins /tracing; mount -t bpf none /pins; mount -t tracefs none /tracing",
        ...guest.modules(KIND_MODULES),
        "/usr/sbin/ip link add kit0 type netkit 2> /tmp/netkit || true",
        "mkfifo /tmp/hold3; kinds /pins /cgroup/a kit0 < /tmp/hold3 > /tmp/kinds & exec 5> /tmp/hold3",
        "for try in $(seq 100); do grep -q ready /tmp/kinds && break; sleep 0.2; done",
        ATTACH_KINDS,
        "mkfifo /tmp/hold; unshare -n attached /pins /cgroup/a < /tmp/hold > /tmp/attached & exec 3> /tmp/hold",
        "mkfifo /tmp/hold2; socket-network < /tmp/hold2 > /tmp/socket & exec 4> /tmp/hold2",
        "for try in $(seq 100); do grep -q ready /tmp/attached && grep -q ready /tmp/socket && break; sleep 0.2; done",
        `export WITHOUT=${without}; links /lib/links.o /lib/replaced.o /cgroup '${inside}'`,
        "echo PART attached; cat /tmp/attached; echo PART socket; cat /tmp/socket; echo PART kinds; cat /tmp/netkit /tmp/kinds",
        ...parts.map((part) => `echo PART ${part}; cat /tmp/${part}`),
        "echo PART end",
      ].join("\n"),
      { seconds },
    );
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}
