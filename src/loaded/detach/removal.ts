import type { LinkReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import type { ObjectName } from "../model/references.js";
import type { Scan } from "../model/scan.js";
import type { Attachment } from "./attachment.js";

/** How one attachment is removed. */
export type Way =
  | "BPF_LINK_DETACH"
  | "BPF_PROG_DETACH"
  | "RTM_SETLINK"
  | "RTM_DELTFILTER"
  | "RTM_DELACTION"
  | "RTM_DELROUTE"
  | "BPF_MAP_DELETE_ELEM"
  | "unlink";

/** What removing one attachment of an object would be. */
export interface Removal {
  readonly attachment: Attachment;
  /** Null if it cannot be removed. */
  readonly way: Way | null;
  /** Why it cannot be removed, as a clause; null if it can. */
  readonly obstacle: string | null;
  /** What is to be known beforehand, as sentences without a full stop. */
  readonly consequences: readonly string[];
}

/** What removing this attachment would be. */
export function removalOf(scan: Scan, object: ObjectName, attachment: Attachment): Removal {
  const { way, obstacle } = wayOf(attachment);
  return { attachment, way, obstacle, consequences: way === null ? [] : consequencesOf(scan, object, attachment) };
}

/** The way, or why there is none. */
type How = Pick<Removal, "way" | "obstacle">;

const by = (way: Way): How => ({ way, obstacle: null });
const not = (obstacle: string): How => ({ way: null, obstacle });

function wayOf(attachment: Attachment): How {
  switch (attachment.by) {
    case "pin":
      return by("unlink");
    case "structure":
      return by("BPF_MAP_DELETE_ELEM");
    case "link":
      return wayOfLink(attachment.link);
    case "target":
      return wayOfPlace(attachment.place);
  }
}

/** The types of links with an operation `detach` (struct bpf_link_ops), and the field that it sets to 0. */
const DETACHED: Readonly<Record<string, string | null>> = {
  ...{ cgroup: "cgroup_id", netns: "netns_ino", xdp: "ifindex", tcx: "ifindex", netkit: "ifindex" },
  ...{ sockmap: "map_id", struct_ops: "map_id", netfilter: null },
};

function wayOfLink({ type, target }: LinkReport): How {
  const field = DETACHED[type];
  if (field === undefined)
    return not(
      type === "unknown" || type === "unspec"
        ? "this version does not know the type of this link"
        : `the kernel detaches a link of type ${type} only when its last holder closes it`,
    );
  return field !== null && isZero(target[field]) ? not("it is detached already") : by("BPF_LINK_DETACH");
}

function isZero(value: string | number | bigint | null | undefined): boolean {
  return value === null || value === undefined || value === 0 || value === 0n;
}

function wayOfPlace(place: Place): How {
  switch (place.at) {
    case "cgroup":
    case "map":
    case "netns":
      return by("BPF_PROG_DETACH");
    case "element":
    case "struct_ops":
      return by("BPF_MAP_DELETE_ELEM");
    case "action":
      return by("RTM_DELACTION");
    case "interface":
      if (place.filter !== undefined) return by("RTM_DELTFILTER");
      return by(place.attachType === "xdp" ? "RTM_SETLINK" : "BPF_PROG_DETACH");
    case "route":
      return place.isCertain
        ? by("RTM_DELROUTE")
        : not("the kernel does not say which program the route has: it may be another one of this type");
    case "event":
      return not(`the kernel takes a program from a perf event only when process ${place.pid} closes the event`);
  }
}

/** What programs of these types decide, which they no longer do once they are detached. */
const OPENS: Readonly<Record<string, string>> = {
  socket_filter: "packets that it drops are received",
  sched_cls: "packets that it drops or redirects pass",
  sched_act: "packets that it drops or redirects pass",
  xdp: "packets that it drops or redirects pass",
  cgroup_skb: "packets that it drops pass",
  cgroup_sock: "sockets that it denies are made",
  cgroup_sock_addr: "addresses that it denies or replaces are used",
  cgroup_device: "devices that it denies are used",
  cgroup_sysctl: "settings that it denies are read and written",
  cgroup_sockopt: "socket options that it denies are used",
  lwt_in: "packets that it drops pass",
  lwt_out: "packets that it drops pass",
  lwt_xmit: "packets that it drops pass",
  lwt_seg6local: "packets that it drops pass",
  sock_ops: "connections lose the options that it sets",
  sk_skb: "messages that it drops or redirects are received",
  sk_msg: "messages that it drops or redirects are sent",
  sk_reuseport: "sockets get packets that it gives to others or drops",
  sk_lookup: "sockets get connections that it gives to others or drops",
  flow_dissector: "the kernel dissects packets itself",
  lsm: "what it denies is allowed",
  netfilter: "packets that it drops pass",
  tracing: "functions whose result it replaces run",
  ext: "the program that it replaces runs again",
  struct_ops: "the kernel takes its default in place of these functions",
};

function consequencesOf(scan: Scan, object: ObjectName, attachment: Attachment): readonly string[] {
  if (attachment.by === "pin") return [pinConsequence(object)];
  return [...opened(scan, object, attachment), ...furtherConsequences(scan, attachment)];
}

const pinConsequence = ({ kind }: ObjectName) =>
  kind === "link"
    ? "the link stays while a process or another pin holds it; without one it goes, and its program is detached"
    : `the ${kind} stays while something else holds it; without that it goes`;

/** The types of programs that are affected, and what each no longer decides. */
function opened(scan: Scan, object: ObjectName, attachment: Attachment): readonly string[] {
  const ids =
    attachment.by === "structure"
      ? attachment.places.map(({ program }) => program)
      : [attachment.by === "link" ? (attachment.link.program ?? attachment.places[0]?.program ?? 0) : object.id];
  const types = new Set(scan.programs.filter(({ id }) => ids.includes(id)).map(({ type }) => type));
  return [...types].flatMap((type) => {
    const what = OPENS[type];
    return what === undefined ? [] : [`this opens what the program closed: ${what}`];
  });
}

/** What an element of a map names besides its program, by the type of the map. */
const REDIRECTED: Readonly<Record<string, string>> = { devmap: "device", devmap_hash: "device", cpumap: "processor" };

function furtherConsequences({ maps }: Scan, attachment: Attachment): readonly string[] {
  if (attachment.by === "link")
    return ["the link stays listed, with its program, until its last holder closes it, and does nothing"];
  if (attachment.by === "structure")
    return [`map ${attachment.map} has ${attachment.places.length} programs, all of which are unregistered`];
  const { place } = attachment as Extract<Attachment, { by: "target" }>;
  if (place.at === "route") return ["the route goes with its program: its packets take another route, or none"];
  if (place.at === "element") {
    const what = REDIRECTED[maps.find(({ id }) => id === place.map)?.type ?? ""];
    return what === undefined ? [] : [`the element goes as a whole: packets are no longer redirected to its ${what}`];
  }
  if (place.at === "interface" && place.filter?.block != null)
    return [`the filter goes from all interfaces that share block ${place.filter.block}`];
  if (place.at === "cgroup")
    return ["a cgroup that was attached to without BPF_F_ALLOW_MULTI loses what it has, before Linux 6.17 unchecked"];
  return [];
}
