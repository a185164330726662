/** A row of a class that a configuration can name, in the words of the configuration. */
export interface KnownRow {
  readonly type: string;
  readonly attach: readonly string[];
  readonly helpers: readonly string[];
  readonly maps: readonly string[];
  readonly instructions: number;
}

/** `r0 = VALUE; exit`: the programs by which libbpf finds out whether the kernel has a type. */
const PROBE = { helpers: [], maps: [], instructions: 2 } as const;

/** By name. docs/seal.md says why their programs are harmless. */
export const KNOWN_CLASSES: Readonly<Record<string, readonly KnownRow[]>> = {
  /** What systemd and runc make of the device rules of a unit or container. */
  cgroup_device: [{ type: "cgroup_device", attach: ["cgroup_device"], helpers: [], maps: [], instructions: 4096 }],
  /** What systemd makes of IPAddressAllow=, IPAddressDeny=, IPAccounting= and RestrictNetworkInterfaces=. */
  cgroup_firewall: [
    {
      type: "cgroup_skb",
      attach: ["cgroup_inet_ingress", "cgroup_inet_egress"],
      helpers: ["bpf_map_lookup_elem", "bpf_skb_load_bytes"],
      maps: ["hash", "array", "lpm_trie"],
      instructions: 4096,
    },
  ],
  /** What systemd makes of SocketBindAllow= and SocketBindDeny=, after it has looked for the types. */
  cgroup_bind: [
    {
      type: "cgroup_sock_addr",
      attach: ["cgroup_inet4_bind", "cgroup_inet6_bind"],
      helpers: ["bpf_map_lookup_elem"],
      maps: ["hash", "array"],
      instructions: 4096,
    },
    { type: "cgroup_sock_addr", attach: ["cgroup_inet4_connect"], ...PROBE },
    { type: "cgroup_sock", attach: ["cgroup_inet_sock_create"], ...PROBE },
  ],
};
