import type { Form } from "./form.js";

/** ETH_P_IP and ETH_P_IPV6 in the byte order of the network: the protocol, and the size of an address in bytes. */
const PROTOCOLS = [
  { protocol: "0x8", size: 4, source: 0xc, destination: 0x10 },
  { protocol: "0xdd86", size: 16, source: 0x8, destination: 0x18 },
];
/** What a list of addresses says about those in it: allowed, denied. */
const VERDICTS = ["0x1", "0x2"];

const hex = (value: number) => `0x${value.toString(16)}`;

/** Looks an address of the packet up in a list, unless the packet is of another protocol. */
function lookup({ protocol, size }: (typeof PROTOCOLS)[number], offset: number, verdict: string): readonly string[] {
  return [
    `if r7 != ${protocol} goto +0xe`,
    "r1 = r6",
    `w2 = ${hex(offset)}`,
    "r3 = r10",
    `r3 += -${hex(size)}`,
    `w4 = ${hex(size)}`,
    "call bpf_skb_load_bytes",
    `r1 = map lpm_trie ${size + 4} 8 COUNT`,
    "r2 = r10",
    `r2 += -${hex(size + 4)}`,
    `*(u32 *)(r2 + 0x0) = ${hex(8 * size)}`,
    "call bpf_map_lookup_elem",
    "if r0 == 0x0 goto +0x1",
    `w8 |= ${verdict}`,
  ];
}

/** Adds a register to an element of the array of counters, whose lookup the kernel has inlined. */
function count(element: string, lookUp: readonly string[], value: string): readonly string[] {
  return [
    `r0 = ${element}`,
    "*(u32 *)(r10 - 0x4) = r0",
    "r2 = r10",
    "r2 += -0x4",
    "r1 = map array 4 8 2",
    ...lookUp,
    "if r0 == 0x0 goto +0x2",
    value,
    "lock *(u64 *)(r0 + 0x0) += r1",
  ];
}

/** array_map_gen_lookup of kernel/bpf/arraymap.c, without and with a mask against speculation. */
const LOOKUPS = [[], ["w0 &= 0x1"]].map((mask) => [
  "r1 += NUMBER",
  "r0 = *(u32 *)(r2 + 0x0)",
  `if r0 >= 0x2 goto ${mask.length === 0 ? "+0x3" : "+0x4"}`,
  ...mask,
  "r0 <<= 0x3",
  "r0 += r1",
  "goto DISTANCE to end - AFTER",
  "r0 = 0x0",
]);

/** Counts a packet that passes, and its bytes. */
const COUNTINGS = LOOKUPS.map((lookUp) => {
  const lines = [
    ...count("0x0", lookUp, "r1 = 0x1"),
    ...count("0x1", lookUp, "r1 = *(u32 *)(r6 + LENGTH)"),
    "r0 = 0x1",
    "exit",
  ];
  // a reference to a map takes two instructions
  const slots = (from: number) => lines.slice(from).reduce((sum, line) => sum + (/ = map /.test(line) ? 2 : 1), 0);
  // the inlined lookup jumps over the line after it
  const jumping = lines.map((line, at) => line.replace("AFTER", String(slots(at + 2))));
  return [`if r0 == 0x0 goto +${hex(slots(0) - 1)}`, ...jumping];
});

/** The kernel removes the comparison if no list can deny. */
const ANSWERS = [["r0 = 0x1", "if r8 != 0x2 goto +0x1", "r0 = 0x0"], ["r0 = 0x1"]];

/** bpf_firewall_compile_bpf of src/core/bpf-firewall.c (v257). */
function firewallForm(attachType: string, side: "source" | "destination"): Form {
  const lookups = PROTOCOLS.flatMap((each) => VERDICTS.map((verdict) => lookup(each, each[side], verdict)));
  return {
    ...{ tool: "systemd", purpose: "IP accounting and access lists", type: "cgroup_skb", attachType },
    start: ["r6 = r1", "r7 = *(u16 *)(r6 + PROTOCOL)", "w8 = 0x0"],
    blocks: [...lookups, ...VERDICTS.map((verdict) => [`w8 |= ${verdict}`])],
    ends: ANSWERS.flatMap((answer) => [["exit"], ...COUNTINGS].map((rest) => [...answer, ...rest])),
  };
}

export const FIREWALL_FORMS: readonly Form[] = [
  firewallForm("cgroup_inet_ingress", "source"),
  firewallForm("cgroup_inet_egress", "destination"),
];
