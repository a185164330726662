/**
 * Named sets of modules that a machine needs without a device for them: what is mounted, configured or plugged in
 * later. Folders are those of the kernel's source, with all modules below them; a name that a kernel lacks counts for
 * nothing.
 */
export interface ModuleSet {
  readonly name: string;
  readonly title: string;
  readonly folders: readonly string[];
  readonly modules: readonly string[];
}

export const MODULE_SETS: readonly ModuleSet[] = [
  {
    name: "filesystems",
    title: "file systems, and their character sets",
    folders: ["fs/"],
    modules: ["loop", "isofs", "dm_mod", "dm_crypt", "dm_verity"],
  },
  {
    name: "firewall",
    title: "nftables, iptables, ipset, IPVS and connection tracking",
    folders: ["net/netfilter/", "net/ipv4/netfilter/", "net/ipv6/netfilter/", "net/bridge/netfilter/"],
    modules: [],
  },
  {
    name: "containers",
    title: "overlays, and the interfaces by which containers reach a network",
    folders: [],
    modules: [
      ...["overlay", "fuse", "veth", "bridge", "br_netfilter", "8021q", "macvlan", "macvtap", "ipvlan", "ipvtap"],
      ...["vxlan", "geneve", "ipip", "ip6_tunnel", "ip_tunnel", "wireguard", "tun", "tap", "dummy", "vhost_net"],
      ...["vhost_vsock", "openvswitch"],
    ],
  },
  {
    name: "tc",
    title: "queueing disciplines, classifiers and actions of tc(8)",
    folders: ["net/sched/"],
    modules: ["ifb"],
  },
  {
    name: "usb",
    title: "devices that are plugged in: storage, keyboards, network, serial, sound and their controllers",
    folders: [
      ...["drivers/usb/core/", "drivers/usb/common/", "drivers/usb/host/", "drivers/usb/class/"],
      ...["drivers/usb/storage/", "drivers/usb/serial/", "drivers/usb/typec/", "drivers/hid/", "drivers/net/usb/"],
      "sound/usb/",
    ],
    modules: ["sd_mod", "sr_mod", "sg", "cdc_acm", "usblp", "uas"],
  },
];

export const SET_NAMES: readonly string[] = MODULE_SETS.map(({ name }) => name);
