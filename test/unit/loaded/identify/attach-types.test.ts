import { expect, it } from "vitest";
import { attachTypesOf } from "../../../../src/loaded/identify/attach-types.js";
import type { LinkReport, ProgramReport } from "../../../../src/loaded/model/objects.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";

const link = (id: number, type: string, program: number, attach_type: string): LinkReport => {
  return { id, type, program, target: { attach_type } };
};

it("has what links of tracing and cgroups say of the program, and cgroups themselves", () => {
  const links = [
    link(1, "tracing", 37, "trace_fentry"),
    link(2, "cgroup", 37, "cgroup_inet_egress"),
    link(3, "cgroup", 38, "cgroup_device"),
    link(4, "xdp", 37, "xdp"),
    link(5, "tracing", 37, "unknown"),
  ];
  const at = { at: "cgroup", path: "/a", cgroupId: 5n } as const;
  const places: Scan["places"] = [
    { ...at, program: 37, attachType: "cgroup_inet_ingress" },
    { ...at, program: 38, attachType: "cgroup_device" },
    { at: "map", program: 37, attachType: "sk_skb_verdict", map: 3 },
  ];
  const types = attachTypesOf({ id: 37 } as ProgramReport, { links, places } as Partial<Scan> as Scan);
  expect(types).toEqual(["trace_fentry", "cgroup_inet_egress", "cgroup_inet_ingress"]);
});
