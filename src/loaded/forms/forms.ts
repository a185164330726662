import type { Btf } from "../../bpf/btf/btf.js";
import { memberOffset } from "../memory/structure.js";
import { DEVICE_FORMS } from "./device-forms.js";
import { FIREWALL_FORMS } from "./firewall-forms.js";
import { type ContextOffsets, type Form, FormPattern } from "./form.js";

/** prog_load of ip/ipvrf.c (6.15): `ip vrf exec` binds the sockets of a cgroup to a device. */
const VRF: Form = {
  ...{ tool: "iproute2", purpose: "ip vrf exec", type: "cgroup_sock", attachType: "cgroup_inet_sock_create" },
  start: ["r6 = r1", "r3 = NUMBER", "r2 = 0x0", "*(u32 *)(r1 + BOUND_DEVICE) = r3", "r0 = 0x1", "exit"],
  blocks: [],
  ends: [[]],
};

/** All forms that are known. */
export const FORMS: readonly Form[] = [...DEVICE_FORMS, ...FIREWALL_FORMS, VRF];

/** The forms as the kernel with these types translates them. */
export function formPatterns(types: Btf | null): readonly FormPattern[] {
  const offsets = contextOffsets(types);
  return FORMS.map((form) => new FormPattern(form, offsets));
}

/** Fields of struct __sk_buff and struct bpf_sock of linux/bpf.h by where the kernel has them. */
function contextOffsets(types: Btf | null): ContextOffsets {
  if (types === null) return { PROTOCOL: null, LENGTH: null, BOUND_DEVICE: null };
  const device = memberOffset(types, "sock_common", "skc_bound_dev_if");
  const common = memberOffset(types, "sock", "__sk_common");
  return {
    PROTOCOL: memberOffset(types, "sk_buff", "protocol"),
    LENGTH: memberOffset(types, "sk_buff", "len"),
    BOUND_DEVICE: device === null || common === null ? null : common + device,
  };
}
