/**
 * The virtual module `countersign`: all that a policy may import beside files of its own domain. For an editor to complete
 * these names: { "compilerOptions": { "paths": { "countersign": ["./node_modules/countersign/types/countersign.d.ts"] } } }
 */

/** Bytes that stay outside of the policy. They can be given to every helper; `read` gives a part of them. */
export interface Bytes {
  readonly length: number;
  /** Nothing can be made to be bytes. */
  readonly [opaque]: true;
}
declare const opaque: unique symbol;

/** A value of a map. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Verifies `signature` over `data` by a keyring of the configuration. 0, or -ENODATA (there is no signature),
 * -EKEYREJECTED, -ENOKEY, -EKEYEXPIRED, -EKEYREVOKED, -EBADMSG, -ENOPKG. For `MODSIG`, `signature` is null and stands at the
 * end of the data. A keyring or type that does not exist is a fault of the policy, whether or not there is a signature.
 */
export declare function verify_signature(
  data: Bytes,
  signature: Bytes | null,
  keyring: string,
  type: SignatureType,
): number;

/** A digest as lower-case hex. */
export declare function hash(algorithm: "sha256" | "sha384" | "sha512", data: Bytes): string;

/** A map's value, or undefined where it has no such key. */
export declare function map_lookup<T = Json>(map: string, key: string): T | undefined;

/**
 * Writes to a map: 0 or -errno. -EPERM if the map is not writable, or the attachment is not one of its writers. The write is committed
 * when the verdict is known, and discarded on a fault.
 */
export declare function map_update(map: string, key: string, value: unknown): number;

/** Takes a key out of a writable map: 0 or -errno. */
export declare function map_delete(map: string, key: string): number;

/**
 * Returns -errno, -EPERM by default. Return this value from the hook: `deny` does not deny by itself, and a call whose value is
 * dropped is an error at start or a fault. The reason, up to 1024 characters, is shown to the user whose operation is denied.
 */
export declare function deny(reason: string, errno?: number): number;

/** Puts a text into the decision: up to 16 of 1024 characters. */
export declare function note(text: string): void;

/** A frozen array of the numbers of a part. Throws a RangeError for what is outside. */
export declare function read(bytes: Bytes, offset: number, length: number): readonly number[];

export type SignatureType = "PKCS7" | "MODSIG" | "RAW" | "SSHSIG" | "MINISIGN" | "SIGSTORE";
/** Detached CMS, as `openssl cms -sign -binary` makes it. */
export declare const PKCS7: "PKCS7";
/** At the end of the data, as kernel modules carry it. */
export declare const MODSIG: "MODSIG";
/** The bare output of the key's algorithm. */
export declare const RAW: "RAW";
/** As `ssh-keygen -Y sign` writes it. */
export declare const SSHSIG: "SSHSIG";
/** As minisign writes it. */
export declare const MINISIGN: "MINISIGN";
/** A bundle of Sigstore, in JSON. */
export declare const SIGSTORE: "SIGSTORE";

/** What a program may do; true means *may*. */
export interface Effects {
  readonly reads_kernel_memory: boolean;
  readonly reads_user_memory: boolean;
  readonly writes_user_memory: boolean;
  readonly writes_packet: boolean;
  readonly writes_ctx: boolean;
  readonly writes_shared_map: boolean;
  readonly redirects: boolean;
  /** Of a kprobe, tracepoint or perf_event program it may mean only that perf does not record the event. */
  readonly decides: boolean;
  readonly overrides_return: boolean;
  readonly sends_signal: boolean;
  readonly changes_socket: boolean;
  readonly changes_kernel_state: boolean;
  readonly tail_calls: boolean;
  readonly calls_bpf: boolean;
  /** None of those that change anything; to keep an event from perf alone (`decides`) changes nothing. */
  readonly read_only: boolean;
}

export interface MapFacts {
  readonly name: string;
  /** As bpftool writes it. */
  readonly type: MapType;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  /** SHA-256 where the contents are frozen, and read-only or exclusive to the program. */
  readonly contents: string | null;
  /** Bytes of the kernel's memory that it takes when it is full, at most; an estimate by the kernel's own sums. */
  readonly memory: number;
  /** Bytes that it takes beside, once for each possible CPU. */
  readonly memory_per_cpu: number;
}

/** Of `bpf_prog_load` and `bpf_prog`. */
export interface Program {
  readonly name: string;
  readonly section: string | null;
  /** As bpftool writes it: `xdp`, `sched_cls`, `kprobe` … */
  readonly type: ProgramType;
  readonly expected_attach_type: AttachType | null;
  readonly attach_to: string | null;
  readonly license: string;
  readonly gpl_compatible: boolean;
  readonly insn_cnt: number;
  /** As libbpf hands them over, with map fds zeroed: what `signature` is over. */
  readonly insns: Bytes;
  /** As given to bpf(2): what `kernel_signature` is over. */
  readonly raw_insns: Bytes;
  readonly digest: string;
  readonly tag: string;
  readonly helpers: readonly HelperName[];
  readonly kfuncs: readonly string[];
  readonly maps: readonly MapFacts[];
  readonly effects: Effects;
  readonly signature: Bytes | null;
  readonly kernel_signature: Bytes | null;
  /** The keyring of the configuration that `kernel_signature` is meant for; null where `gate.keyrings` names none. */
  readonly kernel_keyring: string | null;
  /** Null for a live load. */
  readonly object: ObjectFile | null;
  /** Null but at a live load's `bpf_prog`. */
  readonly loaded: LoadedFacts | null;
  /** Whether the kernel loaded other instructions than those that were judged. */
  readonly rewritten: boolean;
}

/** As the kernel reports it. */
export interface LoadedFacts {
  /** `prog.tag` is of SHA-256, as Linux 6.18 takes it; older kernels take SHA-1. */
  readonly tag: string;
  /** Instructions that the verifier walked, each as often as it came by: its work at load, not the program's run time. */
  readonly verified_insns: number;
  /** Bytes. */
  readonly xlated_size: number;
  /** Bytes; 0 where it is interpreted. */
  readonly jited_size: number;
  readonly map_ids: readonly number[];
}

export interface ObjectFile {
  readonly path: string;
  readonly sha256: string;
  readonly data: Bytes;
  readonly signature: Bytes | null;
}

/** Of `bpf_map_create` and `bpf_map`. */
export interface BpfMap extends MapFacts {
  readonly digest: string;
  /** `r`, `w` or `rw`; null when the map is being created. */
  readonly access: string | null;
}

/** Of `bpf`. What memory tells is null where registers alone are known. */
export interface Command {
  /** As linux/bpf.h has it: `BPF_LINK_CREATE`. */
  readonly name: string;
  readonly digest: string;
  readonly cmd: number;
  /** Bytes of bpf_attr; null offline. */
  readonly size: number | null;
  /** The program that is attached, run or pinned, or whose link is. */
  readonly program: ProgramReference | null;
  /** The map that is pinned, or attached (struct_ops). */
  readonly map: MapReference | null;
  readonly attach: AttachFacts | null;
  readonly run: RunFacts | null;
  /** Where an object is pinned, or fetched from: where the path leads, links followed. */
  readonly path: string | null;
  readonly btf: BtfFacts | null;
}

export interface ProgramReference {
  readonly name: string;
  readonly type: ProgramType;
  readonly tag: string;
  /** Null where it was not judged here. */
  readonly digest: string | null;
}

export interface MapReference {
  readonly name: string;
  readonly type: MapType;
}

/** Of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH and BPF_RAW_TRACEPOINT_OPEN. */
export interface AttachFacts {
  /** As bpftool writes it: `xdp`, `tcx_ingress`, `cgroup_inet_egress` …; null for an `ext` program, whose links it says nothing of. */
  readonly type: AttachType | null;
  readonly flags: number;
  readonly target: AttachTarget;
}

/** What does not belong to its kind is null. */
export interface AttachTarget {
  readonly kind: TargetKind;
  /** In the task's own network. */
  readonly ifindex: number | null;
  /** Of a cgroup, as in `current.cgroup`, or of the file that uprobes are for. */
  readonly path: string | null;
  /** Of a map, a tracepoint, or of what the program was loaded for. */
  readonly name: string | null;
  /** Another program: one that is traced or replaced in part, or the one that a link had before. */
  readonly program: ProgramReference | null;
  readonly btf_id: number | null;
  /** Of a network namespace, as in `current.namespaces`. */
  readonly namespace: number | null;
  /** How many functions or places are probed. */
  readonly count: number | null;
  /** Of kprobes; null where they are named by address, or are more than 1024. */
  readonly symbols: readonly string[] | null;
  /** Of uprobes; null where they are more than 1024. */
  readonly offsets: readonly number[] | null;
  /** As the gate counts processes; 0 for any. */
  readonly pid: number | null;
}

/** Of BPF_PROG_TEST_RUN: sizes in bytes. */
export interface RunFacts {
  readonly repeat: number;
  readonly flags: number;
  readonly data_size_in: number;
  readonly data_size_out: number;
  readonly ctx_size_in: number;
  readonly ctx_size_out: number;
}

/** Of BPF_BTF_LOAD. */
export interface BtfFacts {
  readonly size: number;
  readonly sha256: string;
}

/** Of `bpf_token_create`. */
export interface Token {
  readonly name: string;
  readonly digest: string;
}

/** Of `bprm_check_security` and `kernel_read_file`. */
export interface File extends ObjectFile {
  readonly name: string;
  readonly digest: string;
  /** `exec` or `module`. */
  readonly purpose: string;
  /** A kernel module's; null for anything else. */
  readonly parameters: string | null;
}

/** Of `blob_verify`. */
export interface Blob {
  readonly name: string;
  readonly digest: string;
  readonly data: Bytes;
  readonly signature: Bytes | null;
}

/** Who asks. `comm` and `exe` are the task's own claims: not to be trusted alone. */
export interface Current {
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly comm: string;
  readonly exe: string | null;
  readonly cgroup: string | null;
  readonly capabilities: readonly string[];
  readonly namespaces: Readonly<Record<string, number>>;
  readonly container: Container | null;
}

export interface Container {
  readonly id: string;
  readonly name: string | null;
  /** Null when nobody could read them. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * What a policy exports: a function for each hook that it serves, which returns 0 or -errno. An editor then knows the
 * parameters, in JavaScript too: `@type {import("countersign").Hooks["bpf_prog_load"]}`.
 */
export interface Hooks {
  bpf_prog_load(prog: Program, current: Current): number;
  bpf_prog(prog: Program, current: Current): number;
  bpf_map_create(map: BpfMap, current: Current): number;
  bpf_map(map: BpfMap, current: Current): number;
  bpf(command: Command, current: Current): number;
  bpf_token_create(token: Token, current: Current): number;
  bprm_check_security(file: File, current: Current): number;
  kernel_read_file(file: File, current: Current): number;
  blob_verify(blob: Blob, current: Current): number;
}

export declare const EPERM: 1;
export declare const ENOENT: 2;
export declare const ESRCH: 3;
export declare const EINTR: 4;
export declare const EIO: 5;
export declare const ENXIO: 6;
export declare const E2BIG: 7;
export declare const ENOEXEC: 8;
export declare const EBADF: 9;
export declare const EAGAIN: 11;
export declare const ENOMEM: 12;
export declare const EACCES: 13;
export declare const EFAULT: 14;
export declare const EBUSY: 16;
export declare const EEXIST: 17;
export declare const ENODEV: 19;
export declare const ENOTDIR: 20;
export declare const EISDIR: 21;
export declare const EINVAL: 22;
export declare const ENFILE: 23;
export declare const EMFILE: 24;
export declare const ENOSPC: 28;
export declare const EROFS: 30;
export declare const ERANGE: 34;
export declare const ENOSYS: 38;
export declare const ELOOP: 40;
export declare const ENODATA: 61;
export declare const ENOPKG: 65;
export declare const EBADMSG: 74;
export declare const EOVERFLOW: 75;
export declare const EOPNOTSUPP: 95;
export declare const ETIMEDOUT: 110;
export declare const ECONNREFUSED: 111;
export declare const ENOKEY: 126;
export declare const EKEYEXPIRED: 127;
export declare const EKEYREVOKED: 128;
export declare const EKEYREJECTED: 129;

// Generated by scripts/name-types.mjs: all that is below.

// Each has any other text too, since another version can have more names. An editor still offers those that are known.

/** What bpftool calls a program type; `unknown` for one that is newer than this version. */
export type ProgramType =
  | "socket_filter"
  | "kprobe"
  | "sched_cls"
  | "sched_act"
  | "tracepoint"
  | "xdp"
  | "perf_event"
  | "cgroup_skb"
  | "cgroup_sock"
  | "lwt_in"
  | "lwt_out"
  | "lwt_xmit"
  | "sock_ops"
  | "sk_skb"
  | "cgroup_device"
  | "sk_msg"
  | "raw_tracepoint"
  | "cgroup_sock_addr"
  | "lwt_seg6local"
  | "lirc_mode2"
  | "sk_reuseport"
  | "flow_dissector"
  | "cgroup_sysctl"
  | "raw_tracepoint_writable"
  | "cgroup_sockopt"
  | "tracing"
  | "struct_ops"
  | "ext"
  | "lsm"
  | "sk_lookup"
  | "syscall"
  | "netfilter"
  | "unknown"
  | (string & Record<never, never>);

/** What bpftool calls an attach type; `unknown` for one that is newer than this version. */
export type AttachType =
  | "cgroup_inet_ingress"
  | "cgroup_inet_egress"
  | "cgroup_inet_sock_create"
  | "cgroup_sock_ops"
  | "sk_skb_stream_parser"
  | "sk_skb_stream_verdict"
  | "cgroup_device"
  | "sk_msg_verdict"
  | "cgroup_inet4_bind"
  | "cgroup_inet6_bind"
  | "cgroup_inet4_connect"
  | "cgroup_inet6_connect"
  | "cgroup_inet4_post_bind"
  | "cgroup_inet6_post_bind"
  | "cgroup_udp4_sendmsg"
  | "cgroup_udp6_sendmsg"
  | "lirc_mode2"
  | "flow_dissector"
  | "cgroup_sysctl"
  | "cgroup_udp4_recvmsg"
  | "cgroup_udp6_recvmsg"
  | "cgroup_getsockopt"
  | "cgroup_setsockopt"
  | "trace_raw_tp"
  | "trace_fentry"
  | "trace_fexit"
  | "modify_return"
  | "lsm_mac"
  | "trace_iter"
  | "cgroup_inet4_getpeername"
  | "cgroup_inet6_getpeername"
  | "cgroup_inet4_getsockname"
  | "cgroup_inet6_getsockname"
  | "xdp_devmap"
  | "cgroup_inet_sock_release"
  | "xdp_cpumap"
  | "sk_lookup"
  | "xdp"
  | "sk_skb_verdict"
  | "sk_reuseport_select"
  | "sk_reuseport_select_or_migrate"
  | "perf_event"
  | "trace_kprobe_multi"
  | "lsm_cgroup"
  | "struct_ops"
  | "netfilter"
  | "tcx_ingress"
  | "tcx_egress"
  | "trace_uprobe_multi"
  | "cgroup_unix_connect"
  | "cgroup_unix_sendmsg"
  | "cgroup_unix_recvmsg"
  | "cgroup_unix_getpeername"
  | "cgroup_unix_getsockname"
  | "netkit_primary"
  | "netkit_peer"
  | "trace_kprobe_session"
  | "unknown"
  | (string & Record<never, never>);

/** What bpftool calls a map type; `unknown` for one that is newer than this version. */
export type MapType =
  | "unspec"
  | "hash"
  | "array"
  | "prog_array"
  | "perf_event_array"
  | "percpu_hash"
  | "percpu_array"
  | "stack_trace"
  | "cgroup_array"
  | "lru_hash"
  | "lru_percpu_hash"
  | "lpm_trie"
  | "array_of_maps"
  | "hash_of_maps"
  | "devmap"
  | "sockmap"
  | "cpumap"
  | "xskmap"
  | "sockhash"
  | "cgroup_storage"
  | "reuseport_sockarray"
  | "percpu_cgroup_storage"
  | "queue"
  | "stack"
  | "sk_storage"
  | "devmap_hash"
  | "struct_ops"
  | "ringbuf"
  | "inode_storage"
  | "task_storage"
  | "bloom_filter"
  | "user_ringbuf"
  | "cgrp_storage"
  | "arena"
  | "unknown"
  | (string & Record<never, never>);

/** A helper as linux/bpf.h calls it; `helper#` and its number for one that is newer than this version. */
export type HelperName =
  | "bpf_map_lookup_elem"
  | "bpf_map_update_elem"
  | "bpf_map_delete_elem"
  | "bpf_probe_read"
  | "bpf_ktime_get_ns"
  | "bpf_trace_printk"
  | "bpf_get_prandom_u32"
  | "bpf_get_smp_processor_id"
  | "bpf_skb_store_bytes"
  | "bpf_l3_csum_replace"
  | "bpf_l4_csum_replace"
  | "bpf_tail_call"
  | "bpf_clone_redirect"
  | "bpf_get_current_pid_tgid"
  | "bpf_get_current_uid_gid"
  | "bpf_get_current_comm"
  | "bpf_get_cgroup_classid"
  | "bpf_skb_vlan_push"
  | "bpf_skb_vlan_pop"
  | "bpf_skb_get_tunnel_key"
  | "bpf_skb_set_tunnel_key"
  | "bpf_perf_event_read"
  | "bpf_redirect"
  | "bpf_get_route_realm"
  | "bpf_perf_event_output"
  | "bpf_skb_load_bytes"
  | "bpf_get_stackid"
  | "bpf_csum_diff"
  | "bpf_skb_get_tunnel_opt"
  | "bpf_skb_set_tunnel_opt"
  | "bpf_skb_change_proto"
  | "bpf_skb_change_type"
  | "bpf_skb_under_cgroup"
  | "bpf_get_hash_recalc"
  | "bpf_get_current_task"
  | "bpf_probe_write_user"
  | "bpf_current_task_under_cgroup"
  | "bpf_skb_change_tail"
  | "bpf_skb_pull_data"
  | "bpf_csum_update"
  | "bpf_set_hash_invalid"
  | "bpf_get_numa_node_id"
  | "bpf_skb_change_head"
  | "bpf_xdp_adjust_head"
  | "bpf_probe_read_str"
  | "bpf_get_socket_cookie"
  | "bpf_get_socket_uid"
  | "bpf_set_hash"
  | "bpf_setsockopt"
  | "bpf_skb_adjust_room"
  | "bpf_redirect_map"
  | "bpf_sk_redirect_map"
  | "bpf_sock_map_update"
  | "bpf_xdp_adjust_meta"
  | "bpf_perf_event_read_value"
  | "bpf_perf_prog_read_value"
  | "bpf_getsockopt"
  | "bpf_override_return"
  | "bpf_sock_ops_cb_flags_set"
  | "bpf_msg_redirect_map"
  | "bpf_msg_apply_bytes"
  | "bpf_msg_cork_bytes"
  | "bpf_msg_pull_data"
  | "bpf_bind"
  | "bpf_xdp_adjust_tail"
  | "bpf_skb_get_xfrm_state"
  | "bpf_get_stack"
  | "bpf_skb_load_bytes_relative"
  | "bpf_fib_lookup"
  | "bpf_sock_hash_update"
  | "bpf_msg_redirect_hash"
  | "bpf_sk_redirect_hash"
  | "bpf_lwt_push_encap"
  | "bpf_lwt_seg6_store_bytes"
  | "bpf_lwt_seg6_adjust_srh"
  | "bpf_lwt_seg6_action"
  | "bpf_rc_repeat"
  | "bpf_rc_keydown"
  | "bpf_skb_cgroup_id"
  | "bpf_get_current_cgroup_id"
  | "bpf_get_local_storage"
  | "bpf_sk_select_reuseport"
  | "bpf_skb_ancestor_cgroup_id"
  | "bpf_sk_lookup_tcp"
  | "bpf_sk_lookup_udp"
  | "bpf_sk_release"
  | "bpf_map_push_elem"
  | "bpf_map_pop_elem"
  | "bpf_map_peek_elem"
  | "bpf_msg_push_data"
  | "bpf_msg_pop_data"
  | "bpf_rc_pointer_rel"
  | "bpf_spin_lock"
  | "bpf_spin_unlock"
  | "bpf_sk_fullsock"
  | "bpf_tcp_sock"
  | "bpf_skb_ecn_set_ce"
  | "bpf_get_listener_sock"
  | "bpf_skc_lookup_tcp"
  | "bpf_tcp_check_syncookie"
  | "bpf_sysctl_get_name"
  | "bpf_sysctl_get_current_value"
  | "bpf_sysctl_get_new_value"
  | "bpf_sysctl_set_new_value"
  | "bpf_strtol"
  | "bpf_strtoul"
  | "bpf_sk_storage_get"
  | "bpf_sk_storage_delete"
  | "bpf_send_signal"
  | "bpf_tcp_gen_syncookie"
  | "bpf_skb_output"
  | "bpf_probe_read_user"
  | "bpf_probe_read_kernel"
  | "bpf_probe_read_user_str"
  | "bpf_probe_read_kernel_str"
  | "bpf_tcp_send_ack"
  | "bpf_send_signal_thread"
  | "bpf_jiffies64"
  | "bpf_read_branch_records"
  | "bpf_get_ns_current_pid_tgid"
  | "bpf_xdp_output"
  | "bpf_get_netns_cookie"
  | "bpf_get_current_ancestor_cgroup_id"
  | "bpf_sk_assign"
  | "bpf_ktime_get_boot_ns"
  | "bpf_seq_printf"
  | "bpf_seq_write"
  | "bpf_sk_cgroup_id"
  | "bpf_sk_ancestor_cgroup_id"
  | "bpf_ringbuf_output"
  | "bpf_ringbuf_reserve"
  | "bpf_ringbuf_submit"
  | "bpf_ringbuf_discard"
  | "bpf_ringbuf_query"
  | "bpf_csum_level"
  | "bpf_skc_to_tcp6_sock"
  | "bpf_skc_to_tcp_sock"
  | "bpf_skc_to_tcp_timewait_sock"
  | "bpf_skc_to_tcp_request_sock"
  | "bpf_skc_to_udp6_sock"
  | "bpf_get_task_stack"
  | "bpf_load_hdr_opt"
  | "bpf_store_hdr_opt"
  | "bpf_reserve_hdr_opt"
  | "bpf_inode_storage_get"
  | "bpf_inode_storage_delete"
  | "bpf_d_path"
  | "bpf_copy_from_user"
  | "bpf_snprintf_btf"
  | "bpf_seq_printf_btf"
  | "bpf_skb_cgroup_classid"
  | "bpf_redirect_neigh"
  | "bpf_per_cpu_ptr"
  | "bpf_this_cpu_ptr"
  | "bpf_redirect_peer"
  | "bpf_task_storage_get"
  | "bpf_task_storage_delete"
  | "bpf_get_current_task_btf"
  | "bpf_bprm_opts_set"
  | "bpf_ktime_get_coarse_ns"
  | "bpf_ima_inode_hash"
  | "bpf_sock_from_file"
  | "bpf_check_mtu"
  | "bpf_for_each_map_elem"
  | "bpf_snprintf"
  | "bpf_sys_bpf"
  | "bpf_btf_find_by_name_kind"
  | "bpf_sys_close"
  | "bpf_timer_init"
  | "bpf_timer_set_callback"
  | "bpf_timer_start"
  | "bpf_timer_cancel"
  | "bpf_get_func_ip"
  | "bpf_get_attach_cookie"
  | "bpf_task_pt_regs"
  | "bpf_get_branch_snapshot"
  | "bpf_trace_vprintk"
  | "bpf_skc_to_unix_sock"
  | "bpf_kallsyms_lookup_name"
  | "bpf_find_vma"
  | "bpf_loop"
  | "bpf_strncmp"
  | "bpf_get_func_arg"
  | "bpf_get_func_ret"
  | "bpf_get_func_arg_cnt"
  | "bpf_get_retval"
  | "bpf_set_retval"
  | "bpf_xdp_get_buff_len"
  | "bpf_xdp_load_bytes"
  | "bpf_xdp_store_bytes"
  | "bpf_copy_from_user_task"
  | "bpf_skb_set_tstamp"
  | "bpf_ima_file_hash"
  | "bpf_kptr_xchg"
  | "bpf_map_lookup_percpu_elem"
  | "bpf_skc_to_mptcp_sock"
  | "bpf_dynptr_from_mem"
  | "bpf_ringbuf_reserve_dynptr"
  | "bpf_ringbuf_submit_dynptr"
  | "bpf_ringbuf_discard_dynptr"
  | "bpf_dynptr_read"
  | "bpf_dynptr_write"
  | "bpf_dynptr_data"
  | "bpf_tcp_raw_gen_syncookie_ipv4"
  | "bpf_tcp_raw_gen_syncookie_ipv6"
  | "bpf_tcp_raw_check_syncookie_ipv4"
  | "bpf_tcp_raw_check_syncookie_ipv6"
  | "bpf_ktime_get_tai_ns"
  | "bpf_user_ringbuf_drain"
  | "bpf_cgrp_storage_get"
  | "bpf_cgrp_storage_delete"
  | (string & Record<never, never>);

/** The keys of `effects`. */
export type EffectName =
  | "reads_kernel_memory"
  | "reads_user_memory"
  | "writes_user_memory"
  | "writes_packet"
  | "writes_ctx"
  | "writes_shared_map"
  | "redirects"
  | "decides"
  | "overrides_return"
  | "sends_signal"
  | "changes_socket"
  | "changes_kernel_state"
  | "tail_calls"
  | "calls_bpf"
  | "read_only"
  | (string & Record<never, never>);

/** What a program can be put to. */
export type TargetKind =
  | "cgroup"
  | "device"
  | "function"
  | "interface"
  | "iterator"
  | "kprobes"
  | "link"
  | "map"
  | "netfilter"
  | "netns"
  | "perf_event"
  | "struct_ops"
  | "tracepoint"
  | "uprobes"
  | (string & Record<never, never>);
