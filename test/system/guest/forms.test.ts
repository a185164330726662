import { describe, expect, it } from "vitest";
import { bootOnce, partsOf } from "./boot.js";

const SCRIPT = [
  "mkdir /cgroup; mount -t cgroup2 cgroup /cgroup; ip link set lo up",
  "/usr/sbin/ip link add red type vrf table 10; /usr/sbin/ip link set red up",
  "/usr/sbin/ip vrf exec red sleep 1000 & sleep 5",
  "node /countersign/bin/countersign.js scan --json > /tmp/scan; echo PART scan; cat /tmp/scan; echo PART end",
];

describe("a program that iproute2 generates, on Debian's kernel", () => {
  const booted = bootOnce(["ip"], (guest) => {
    guest.program("/usr/sbin/ip", "usr/sbin/ip");
    return guest.run([...guest.modules(["vrf"]), ...SCRIPT].join("\n"), { seconds: 600 });
  });

  it("is recognised by its form while `ip vrf exec` has it attached", () => {
    const ran = booted();
    const { scan = "" } = partsOf(ran);
    const lines = scan.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
    const [program] = lines.filter(({ kind, type }) => kind === "program" && type === "cgroup_sock");
    expect(program?.form, ran.console).toEqual({
      ...{ tool: "iproute2", purpose: "ip vrf exec", attach_type: "cgroup_inet_sock_create" },
    });
    expect(program).toMatchObject({ identified: null, effects: { writes_ctx: true } });
  });
});
