import { dPath, FILE, ofTask } from "./file-fillers.js";
import { ALL, cleared, type Filler, fills, none, type Outcomes, USER } from "./filler.js";
import * as hosts from "./hosts.js";

const userText = (call: string, address: number, flags: number) =>
  `r1 = buffer; r2 = size; r3 = ${address}; r4 = ${flags}; call ${call}`;
const XDP_DYNPTR = "r1 = r6; r2 = 0; r3 = spare; call kfunc bpf_dynptr_from_xdp";
const slice = (helper: string, offset: number) =>
  `${XDP_DYNPTR}; r1 = spare; r2 = ${offset}; r3 = buffer; r4 = size; call kfunc ${helper}`;
const slices = (name: string) =>
  fills(name, hosts.XDP, 40, [slice(name, 60_000), none("it copies only from several fragments"), slice(name, 0)], {
    spare: 16,
  });

const metadata = (what: string, size: number, fails: boolean, second: number | null): Filler => {
  const other = second === null ? "" : `r3 = r2; r3 += ${second}; `;
  const call = `r1 = r6; r2 = buffer; ${other}call kfunc bpf_xdp_metadata_rx_${what}`;
  const of: Outcomes = fails
    ? [call, ALL, none("needs a tagged packet")]
    : [none("veth knows it of all its packets"), ALL, call];
  return fills(`bpf_xdp_metadata_rx_${what}`, hosts.XDP_OF_DEVICE, size, of);
};

const FILLED: readonly Filler[] = [
  fills("bpf_copy_from_user_str", FILE, 40, [
    userText("kfunc bpf_copy_from_user_str", 0, 0),
    userText("kfunc bpf_copy_from_user_str", USER.short, 0),
    userText("kfunc bpf_copy_from_user_str", USER.long, 0),
  ]),
  fills("bpf_copy_from_user_str", FILE, 40, [
    userText("kfunc bpf_copy_from_user_str", USER.long, 2),
    userText("kfunc bpf_copy_from_user_str", USER.short, 1),
    none("with other flags"),
  ]),
  fills("bpf_copy_from_user_task_str", FILE, 40, [
    ofTask("kfunc bpf_copy_from_user_task_str", 0, 0),
    ofTask("kfunc bpf_copy_from_user_task_str", USER.short, 0),
    ofTask("kfunc bpf_copy_from_user_task_str", USER.long, 0),
  ]),
  ...dPath("kfunc bpf_path_d_path"),
  slices("bpf_dynptr_slice"),
  slices("bpf_dynptr_slice_rdwr"),
  metadata("hash", 8, false, 4),
  metadata("timestamp", 8, false, null),
  metadata("vlan_tag", 4, true, 2),
  fills(
    "bpf_skb_get_fou_encap",
    hosts.TC,
    4,
    ["r1 = r6; r2 = buffer; call kfunc bpf_skb_get_fou_encap", ALL, none("needs a tunnel device")],
    { module: "fou" },
  ),
  fills(
    "bpf_skb_get_xfrm_info",
    hosts.TC,
    8,
    ["r1 = r6; r2 = buffer; call kfunc bpf_skb_get_xfrm_info", ALL, none("needs an xfrm device")],
    { module: "xfrm_interface" },
  ),
];

/** Kfuncs of sched_ext that return nothing. */
const scheduler = (call: string, size: number, of: "succeeds" | "writes_less"): Filler => {
  const code = `${call}; r0 = 0`;
  const other = none("for another size");
  const name = /kfunc (\w+)/.exec(call)![1]!;
  return fills(name, hosts.FENTRY, size, [
    none("it returns nothing"),
    of === "writes_less" ? code : other,
    of === "succeeds" ? code : other,
  ]);
};
const EVENTS = "r1 = buffer; r2 = size; call kfunc scx_bpf_events";
const SCHEDULER: readonly Filler[] = [
  scheduler(EVENTS, 40, "succeeds"),
  scheduler(EVENTS, 240, "writes_less"),
  scheduler("r1 = 0; r2 = buffer; r3 = size; call kfunc scx_bpf_cid_topo", 40, "succeeds"),
];

/** Kfuncs that look something up by options in the buffer, of which they change the error. */
const looksUp = (name: string, size: number, call: string, release: string, more: Partial<Filler>): Filler =>
  fills(
    name,
    hosts.XDP,
    size,
    [
      `${call}; call kfunc ${name}; if r0 == 0 goto none; r1 = r0; call kfunc ${release}; goto out; none: r0 = -1`,
      none("it changes only the error"),
      none("it changes only the error"),
    ],
    more,
  );
const CONNECTION = "r1 = r6; r2 = spare; r3 = 12; r4 = buffer; r5 = size";
const LOOKUPS: readonly Filler[] = [
  looksUp("bpf_xdp_get_xfrm_state", 36, "r1 = r6; r2 = buffer; r3 = size", "bpf_xdp_xfrm_state_release", {}),
  looksUp("bpf_xdp_ct_lookup", 12, CONNECTION, "bpf_ct_release", { ...cleared(16), module: "nf_conntrack" }),
];

/** Kfuncs with a buffer in the frame. */
export const KFUNCS: readonly Filler[] = [...FILLED, ...SCHEDULER, ...LOOKUPS];
