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
 * end of the data.
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
 * Writes to a map: 0 or -errno. -EPERM where the map is not writable, or the attachment is none of its writers. It takes hold with the
 * decision, and not at all on a fault.
 */
export declare function map_update(map: string, key: string, value: unknown): number;

/** Takes a key out of a writable map: 0 or -errno. */
export declare function map_delete(map: string, key: string): number;

/** -errno, -EPERM where none is given. The reason is shown to whoever is refused: up to 1024 characters. */
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
  readonly decides: boolean;
  readonly overrides_return: boolean;
  readonly sends_signal: boolean;
  readonly changes_socket: boolean;
  readonly changes_kernel_state: boolean;
  readonly tail_calls: boolean;
  readonly calls_bpf: boolean;
  /** None of those that change anything. */
  readonly read_only: boolean;
}

export interface MapFacts {
  readonly name: string;
  /** As bpftool writes it. */
  readonly type: string;
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
  readonly type: string;
  readonly expected_attach_type: string | null;
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
  readonly helpers: readonly string[];
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
  readonly type: string;
  readonly tag: string;
  /** Null where it was not judged here. */
  readonly digest: string | null;
}

export interface MapReference {
  readonly name: string;
  readonly type: string;
}

/** Of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH and BPF_RAW_TRACEPOINT_OPEN. */
export interface AttachFacts {
  /** As bpftool writes it: `xdp`, `tcx_ingress`, `cgroup_inet_egress` …; null for an `ext` program, whose links it says nothing of. */
  readonly type: string | null;
  readonly flags: number;
  readonly target: AttachTarget;
}

/** What does not belong to its kind is null. */
export interface AttachTarget {
  /**
   * `cgroup`, `device`, `function`, `interface`, `iterator`, `kprobes`, `link`, `map`, `netfilter`, `netns`, `perf_event`,
   * `struct_ops`, `tracepoint` or `uprobes`.
   */
  readonly kind: string;
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
export declare const ENOKEY: 126;
export declare const EKEYEXPIRED: 127;
export declare const EKEYREVOKED: 128;
export declare const EKEYREJECTED: 129;
