import type { LinkReport, LinkTarget } from "../../loaded/model/objects.js";
import { visibleText } from "../../visible-text.js";

/** What a link is attached to, in words. */
export function linkPlace({ type, target }: LinkReport): string {
  const words = WORDS[type];
  return words === undefined ? type : visibleText(words(target));
}

const text = (value: LinkTarget[string] | undefined) =>
  value === null || value === undefined ? "unknown" : `${value}`;
/** An interface is named in no words: its number counts only in its own network namespace, which the link hides. */
const onInterface = (kind: string, { ifindex }: LinkTarget) => on(kind, ifindex, `on interface ${text(ifindex)}`);
/** BPF_LINK_DETACH sets the number of the target to 0, as does the end of the target. */
const on = (kind: string, target: LinkTarget[string] | undefined, words: string) =>
  target === 0 || target === 0n || target === null ? `${kind}, detached` : `${kind} ${words}`;

const WORDS: Readonly<Record<string, (target: LinkTarget) => string>> = {
  raw_tracepoint: ({ tp_name }) => `raw tracepoint ${text(tp_name)}`,
  tracing: (target) => `${target.attach_type === null ? "replaces" : text(target.attach_type)} ${targetOf(target)}`,
  cgroup: ({ attach_type, cgroup_id }) => on(text(attach_type), cgroup_id, `of cgroup ${text(cgroup_id)}`),
  iter: ({ target_name }) => `iterator ${text(target_name)}`,
  netns: ({ attach_type, netns_ino }) => on(text(attach_type), netns_ino, `of network namespace ${text(netns_ino)}`),
  xdp: (target) => onInterface("xdp", target),
  perf_event: eventOf,
  kprobe_multi: ({ count }) => counted(count, "kprobe"),
  uprobe_multi: ({ count, path }) => `${counted(count, "uprobe")} of ${text(path)}`,
  struct_ops: ({ map_id }) => on("struct_ops", map_id, `of map ${text(map_id)}`),
  netfilter: ({ pf, hooknum, priority }) => {
    const [family, hook] = [FAMILIES[Number(pf)] ?? `family ${pf}`, HOOKS[Number(hooknum)] ?? `hook ${hooknum}`];
    return `netfilter ${family} ${hook}, priority ${priority}`;
  },
  tcx: (target) => onInterface(text(target.attach_type), target),
  netkit: (target) => onInterface(text(target.attach_type), target),
  sockmap: ({ attach_type, map_id }) => on(text(attach_type), map_id, `of map ${text(map_id)}`),
};

const counted = (count: LinkTarget[string] | undefined, noun: string) =>
  `${text(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A function of the kernel or of a program by its name, or a type in a BTF object. */
function targetOf({ target_obj_id, target_btf_id, target_name, target_program }: LinkTarget): string {
  if (typeof target_name === "string")
    return `${target_name}${target_program === null ? "" : ` of program ${target_program}`}`;
  return `type ${text(target_btf_id)} of BTF object ${text(target_obj_id)}`;
}

function eventOf({ event, file_name, func_name, tp_name, offset, type, config }: LinkTarget): string {
  const at = offset === 0 || offset === undefined ? "" : `+${offset}`;
  if (func_name !== undefined) return `${event} ${text(func_name)}${at}`;
  if (file_name !== undefined) return `${event} ${text(file_name)}${at}`;
  if (tp_name !== undefined) return `tracepoint ${text(tp_name)}`;
  return type === undefined ? "perf event" : `perf event, type ${type}, config ${config}`;
}

/** NFPROTO_* and NF_INET_* of linux/netfilter.h. */
const FAMILIES: Readonly<Record<number, string>> = { 2: "ipv4", 10: "ipv6" };
const HOOKS: readonly string[] = ["prerouting", "input", "forward", "output", "postrouting"];
