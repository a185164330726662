/**
 * The virtual module `countersign`: all that a policy may import beside files of its own domain. For an editor to
 * complete these names:
 * { "compilerOptions": { "paths": { "countersign": ["./node_modules/countersign/types/countersign.d.ts"] } } }
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
 * -EKEYREJECTED, -ENOKEY, -EKEYEXPIRED, -EKEYREVOKED, -EBADMSG, -ENOPKG. For `MODSIG`, `signature` is null and stands
 * at the end of the data. A keyring or type that does not exist is a fault of the policy, whether or not there is a
 * signature.
 */
export declare function verify_signature(
  data: Bytes,
  signature: Bytes | null,
  keyring: string,
  type: SignatureType,
): number;

/**
 * 0 if the program matches a program statement that a signer of the keyring signed. Otherwise -ENODATA (it matches no
 * statement), -EKEYREJECTED (it differs in one property from a statement whose signature the keyring accepts; or a
 * signature breaks a rule), -ENOKEY, -EKEYEXPIRED, -EKEYREVOKED, -EBADMSG, -ENOPKG. `prog` must be the hook's argument.
 */
export declare function verify_program(prog: Program, keyring: string): number;

/** The statement by which verify_program is 0, the one with the lowest SHA-256 if several match; otherwise null. */
export declare function statement_of(prog: Program, keyring: string): Statement | null;

/** Who signed the statement of `statement_of`; null where verify_program is not 0. */
export declare function signer_of(prog: Program, keyring: string): Signer | null;
/**
 * Who made a signature: null where `verify_signature` with the same arguments is not 0. The first signer in the
 * message, if it has several, and of several signatures that of the first valid one. Ask for a fact of it with
 * `signer_of(…)?.subject`.
 */
export declare function signer_of(
  data: Bytes,
  signature: Bytes | null,
  keyring: string,
  type: SignatureType,
): Signer | null;

/** Who signed, by the certificate or by the keyring's own files. */
export interface Signer {
  /**
   * Subject of the certificate as RFC 4514 writes it (`CN=Release,O=Example`); for `SIGSTORE`, the identity in the
   * certificate; for `SSHSIG`, the key's principals or comment. Null for a bare key.
   */
  readonly subject: string | null;
  /** SHA-256 of the public key (SubjectPublicKeyInfo) in lower-case hex, as `countersign keyring list` shows it. */
  readonly key_id: string;
  /** Serial number of the certificate in lower-case hex; null without one, and for `SIGSTORE`. */
  readonly serial: string | null;
  /** Issuer of the certificate; for `SIGSTORE`, the issuer of the identity. Null without a certificate. */
  readonly issuer: string | null;
}

/** A digest as lower-case hex. */
export declare function hash(algorithm: "sha256" | "sha384" | "sha512", data: Bytes): string;

/** What the maps of a configuration have, by name. `countersign types` writes a file that adds those with a schema. */
// biome-ignore lint/suspicious/noEmptyInterface: other files add properties
export interface PolicyMaps {}

type ValueOf<M> = M extends keyof PolicyMaps ? (PolicyMaps[M] extends { value: infer V } ? V : never) : never;

/** A key of a map: a text that is not known, or one that the map's schema allows. */
type KeyOf<M, K extends string> = M extends keyof PolicyMaps
  ? PolicyMaps[M] extends { key: infer A }
    ? K & ([A & K] extends [never] ? never : unknown)
    : never
  : never;

/** The name of a map that {@link PolicyMaps} does not have. */
type OtherMap<M> = M & (M extends keyof PolicyMaps ? never : unknown);

/** A map's value, or undefined where it has no such key. */
export declare function map_lookup<M extends keyof PolicyMaps, K extends string>(
  map: M,
  key: KeyOf<M, K>,
): ValueOf<M> | undefined;
/**
 * A map's value, or undefined where it has no such key. Only the map's file says of which shape it is: JavaScript can
 * read any property of it, TypeScript gives `T` to have it checked.
 */
// biome-ignore lint/suspicious/noExplicitAny: with `Json`, a policy in JavaScript could not read a property of a value
export declare function map_lookup<T = any, M extends string = string>(map: OtherMap<M>, key: string): T | undefined;

/**
 * Writes to a map: 0 or -errno. -EPERM if the map is not writable, or the attachment is not one of its writers; -EINVAL
 * if the key or the value breaks the map's schema. The write is committed when the verdict is known, and discarded on a
 * fault.
 */
export declare function map_update<M extends keyof PolicyMaps, K extends string>(
  map: M,
  key: KeyOf<M, K>,
  value: ValueOf<M>,
): number;
export declare function map_update<M extends string>(map: OtherMap<M>, key: string, value: unknown): number;

/** Takes a key out of a writable map: 0 or -errno. */
export declare function map_delete(map: string, key: string): number;

/**
 * Returns -errno, -EPERM by default. Return this value from the hook: `deny` does not deny by itself, and a call whose
 * value is dropped is an error at start or a fault. The reason, up to 1024 characters, is shown to the user whose
 * operation is denied.
 */
export declare function deny(reason: string, errno?: number): number;

/** Puts a text into the decision: up to 16 of 1024 characters. */
export declare function note(text: string): void;

/** A frozen array of the numbers of a part. Throws a RangeError for what is outside. */
export declare function read(bytes: Bytes, offset: number, length: number): readonly number[];

// Generated by scripts/signature-types.mjs, as far as the next such line.
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
// End of what scripts/signature-types.mjs generated.

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
export declare const EALREADY: 114;
export declare const ENOKEY: 126;
export declare const EKEYEXPIRED: 127;
export declare const EKEYREVOKED: 128;
export declare const EKEYREJECTED: 129;

// Generated by scripts/declarations.mjs: all that is below.

/**
 * The task that an operation is attributed to. The task itself chooses `comm` and can choose `exe`, so neither is proof
 * of identity.
 */
export interface Current {
  /** Id of the process, in the gate's pid namespace. */
  readonly pid: number;
  /** Id of the thread. */
  readonly tid: number;
  /** Uid in the host's user namespace; so are `euid` and `gid`. */
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  /** Name of the thread, which it chooses itself. */
  readonly comm: string;
  /** Path of the executable. Null if the executable cannot be read. */
  readonly exe: string | null;
  /** Path in the cgroup2 hierarchy. Null if it cannot be read. */
  readonly cgroup: string | null;
  /** Names of the effective capabilities, such as `CAP_BPF`. */
  readonly capabilities: readonly Capability[];
  /** Inode number by kind of namespace, as in /proc/PID/ns. */
  readonly namespaces: Readonly<Record<string, number>>;
  /** Null for a task on the host. */
  readonly container: Container | null;
}

export interface Container {
  readonly id: string;
  /** Null if its runtime gives none. */
  readonly name: string | null;
  /** Null if the source of labels did not answer: every scope by labels then matches. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The subject of `bpf_prog_load` and `bpf_prog`. */
export interface Program {
  /** Name of the program's function. */
  readonly name: string;
  /** Section of the object file. Null for a load in a gate. */
  readonly section: string | null;
  /** As bpftool spells it: `sched_cls` (tc), `xdp`, `kprobe` and so on, or `unknown`. */
  readonly type: ProgramType;
  /**
   * As bpftool spells it: `trace_fentry`, `lsm_mac` and so on. Null if the program's type has none, or it is not known.
   */
  readonly expected_attach_type: AttachType | null;
  /** The function or hook that it was made for. Null if the object or the load names none. */
  readonly attach_to: string | null;
  /** As the program declares it. */
  readonly license: string;
  /** Whether the licence allows calls of GPL-only helpers. */
  readonly gpl_compatible: boolean;
  /** Number of 8-byte slots: an ld_imm64 counts as two, as in the kernel. */
  readonly insn_cnt: number;
  /**
   * The instructions that libbpf would pass to the kernel, with zeroed map fds, in the byte order of the object.
   * `signature` is over these.
   */
  readonly insns: Bytes;
  /** The instructions as passed to bpf(2). `kernel_signature` is over these. */
  readonly raw_insns: Bytes;
  /** SHA-256 of `insns` in lower-case hex. */
  readonly digest: string;
  /** First 8 bytes of `digest`, which is the kernel's tag from Linux 6.18 on. */
  readonly tag: string;
  /** The kernel's names (`bpf_map_lookup_elem`; `helper#250` if it is newer than the tables), sorted. */
  readonly helpers: readonly HelperName[];
  /** Names (`kfunc#1234` with the BTF id if a live load gives no name), sorted. */
  readonly kfuncs: readonly string[];
  /** The maps that the program refers to, in the order of its instructions. */
  readonly maps: readonly MapFacts[];
  /** What the program may do. */
  readonly effects: Effects;
  /**
   * Detached signature over `insns`, from the signature store or from a file beside the object. Null if there is none.
   */
  readonly signature: Bytes | null;
  /**
   * The program statements that it matches, in the order of their `sha256`. They count only if `verify_program` is 0.
   */
  readonly statements: readonly Statement[];
  /** How it differs from the closest statements that it does not match: at most 8. */
  readonly mismatches: readonly Mismatch[];
  /** Signature over `raw_insns` from bpf_attr (`signature`). Null if the load has none. */
  readonly kernel_signature: Bytes | null;
  /** The keyring of the configuration for `keyring_id` of bpf_attr. Null if `gate.keyrings` maps that id to none. */
  readonly kernel_keyring: string | null;
  /** The object file that the program came from. Null for a load in a gate. */
  readonly object: ObjectFile | null;
  /**
   * What the kernel reports about the loaded program, at hook `bpf_prog` of a gate. Null unless the kernel has loaded
   * the program.
   */
  readonly loaded: LoadedFacts | null;
  /** Whether the kernel loaded instructions other than those that were judged (bpf_core_apply, kernel/bpf/btf.c). */
  readonly rewritten: boolean;
}

/** What a program may do. An effect is never false if the program can do it. */
export interface Effects {
  /** Also what the kernel left in bytes of the stack that nothing surely wrote. */
  readonly reads_kernel_memory: boolean;
  readonly reads_user_memory: boolean;
  /**
   * Addresses of the kernel that it has by itself. Those that it reads are `reads_kernel_memory`; those in the
   * registers that a kprobe, raw_tracepoint or perf_event program is given are neither.
   */
  readonly reveals_addresses: boolean;
  readonly writes_user_memory: boolean;
  readonly writes_packet: boolean;
  readonly writes_ctx: boolean;
  readonly writes_shared_map: boolean;
  readonly redirects: boolean;
  /** For kprobe, tracepoint and perf_event programs it may only mean that perf does not record the event. */
  readonly decides: boolean;
  readonly overrides_return: boolean;
  readonly sends_signal: boolean;
  readonly changes_socket: boolean;
  readonly changes_kernel_state: boolean;
  readonly tail_calls: boolean;
  readonly calls_bpf: boolean;
  /** True if no effect that changes anything is true. `decides` for a record of perf changes nothing. */
  readonly read_only: boolean;
}

/** A map of a program. */
export interface MapFacts {
  readonly name: string;
  /** As bpftool spells it: `hash`, `array`, `ringbuf` and so on, or `unknown`. */
  readonly type: MapType;
  /** In bytes. */
  readonly key_size: number;
  /** In bytes. */
  readonly value_size: number;
  readonly max_entries: number;
  /** `map_flags` of bpf_attr. */
  readonly flags: number;
  /**
   * SHA-256 of the initial contents in lower-case hex. Null unless the map is frozen, and read-only for programs or, in
   * a load, exclusive to the program.
   */
  readonly contents: string | null;
  /** Upper bound in bytes of the kernel memory of the full map. */
  readonly memory: number;
  /** Additional bytes for each possible CPU. */
  readonly memory_per_cpu: number;
}

/** A program statement that a program matches: the signed description of the program before CO-RE relocation. */
export interface Statement {
  /** SHA-256 of the signed bytes in lower-case hex. */
  readonly sha256: string;
  /** SHA-256 of the object file in lower-case hex. */
  readonly object_sha256: string;
  /** The full name of the program's function. */
  readonly name: string;
  /** The program type that is signed. */
  readonly type: ProgramType;
  /** All settings, changed or not. */
  readonly settings: readonly Setting[];
}

/** A value that the loader chose between opening the object and loading it. */
export interface Setting {
  /** Such as `targ_pid`, `events.max_entries`, `heap.autocreate` or `attach_target`. */
  readonly name: string;
  readonly kind: SettingKind;
  /** C type of a variable. Null for other kinds than `variable`. */
  readonly type: string | null;
  /**
   * A number for bool, integers and enums up to 32 bits; decimal digits for 64 bits; lower-case hex for arrays and
   * structs.
   */
  readonly value: number | string;
  /** The value in the object file. Null if it declares none. */
  readonly declared: number | string | null;
}

/** Why a program does not match a statement. */
export interface Mismatch {
  /** `sha256` of the statement. */
  readonly statement: string;
  /** What differs, such as `license`, `insns` or `events.max_entries`. */
  readonly property: string;
  /** As the statement has it. */
  readonly expected: string;
  /** As the program has it. */
  readonly found: string;
}

/** What the kernel reports about a loaded program (struct bpf_prog_info of linux/bpf.h). */
export interface LoadedFacts {
  /** 8 bytes in lower-case hex: truncated SHA-256, or SHA-1 before Linux 6.18. */
  readonly tag: string;
  /**
   * Instructions that the verifier processed, counting repetitions: the verifier's work, not the run time of the
   * program.
   */
  readonly verified_insns: number;
  /** Size in bytes of the instructions after the verifier rewrote them. */
  readonly xlated_size: number;
  /** Size in bytes of the machine code; 0 if the kernel interprets the program. */
  readonly jited_size: number;
  readonly map_ids: readonly number[];
}

/** A file. */
export interface ObjectFile {
  readonly path: string;
  /** SHA-256 of the whole file in lower-case hex. */
  readonly sha256: string;
  readonly data: Bytes;
  /** Detached signature over `data`. Null if there is none. */
  readonly signature: Bytes | null;
}

/** The subject of `bpf`. If only the registers of the command are known, all facts after `size` are null. */
export interface Command {
  /** Spelled as in linux/bpf.h, such as `BPF_LINK_CREATE`. */
  readonly name: CommandName;
  /** SHA-256 in lower-case hex: for BPF_BTF_LOAD of the BTF, else of these facts. */
  readonly digest: string;
  readonly cmd: number;
  /** Size of bpf_attr in bytes. Null offline, since it depends on the loader, and where a case does not give it. */
  readonly size: number | null;
  /**
   * The program that is attached, detached, run or pinned, or the program of the link. Null for other commands, and for
   * a detachment that names none.
   */
  readonly program: ProgramReference | null;
  /**
   * The map that is pinned, or that is attached (a map of type struct_ops). Null for other commands, and for a program.
   */
  readonly map: MapReference | null;
  /** Null for other commands. */
  readonly attach: AttachFacts | null;
  /** Null for other commands. */
  readonly run: RunFacts | null;
  /**
   * The path at which an object is pinned, or from which it is fetched, after its links are followed. Null for other
   * commands.
   */
  readonly path: string | null;
  /** Null for other commands. */
  readonly btf: BtfFacts | null;
}

export interface ProgramReference {
  readonly name: string;
  readonly type: ProgramType;
  /** 8 bytes in lower-case hex. */
  readonly tag: string;
  /** The digest of the program's subject. Null if this gate did not judge the program. */
  readonly digest: string | null;
}

export interface MapReference {
  readonly name: string;
  readonly type: MapType;
}

/** Facts of BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_PROG_ATTACH, BPF_PROG_DETACH and BPF_RAW_TRACEPOINT_OPEN. */
export interface AttachFacts {
  /**
   * As bpftool spells it: `xdp`, `tcx_ingress`, `cgroup_inet_egress` and so on. Null if the command has none, and for
   * `ext` programs, whose links ignore it.
   */
  readonly type: AttachType | null;
  readonly flags: number;
  readonly target: AttachTarget;
}

/** The object that a program is attached to. Fields that do not apply to its kind are null. */
export interface AttachTarget {
  readonly kind: TargetKind;
  /** Index of an interface in the task's network namespace. Null for other kinds. */
  readonly ifindex: number | null;
  /** Path of a cgroup, as in `current.cgroup`, or of the file that uprobes are placed in. Null for other kinds. */
  readonly path: string | null;
  /** Name of a map, a tracepoint, or the function or iterator that the program was loaded for. Null for other kinds. */
  readonly name: string | null;
  /**
   * Another program: the one that is traced or partly replaced, or the previous program of a link. Null for other
   * kinds.
   */
  readonly program: ProgramReference | null;
  /** BTF id of a function in the BTF of `program`. Null for other kinds. */
  readonly btf_id: number | null;
  /** Inode number of a network namespace, as in `current.namespaces`. Null for other kinds. */
  readonly namespace: number | null;
  /** Number of probed functions or places. Null for other kinds. */
  readonly count: number | null;
  /** Symbols of all kprobes. Null for other kinds, if they are given as addresses, or if there are more than 1024. */
  readonly symbols: readonly string[] | null;
  /** File offsets of all uprobes. Null for other kinds, or if there are more than 1024. */
  readonly offsets: readonly number[] | null;
  /** Id, in the gate's pid namespace, of the process of the uprobes; 0 for any process. Null for other kinds. */
  readonly pid: number | null;
}

/** Facts of BPF_PROG_TEST_RUN. Sizes are in bytes. */
export interface RunFacts {
  readonly repeat: number;
  readonly flags: number;
  readonly data_size_in: number;
  readonly data_size_out: number;
  readonly ctx_size_in: number;
  readonly ctx_size_out: number;
}

/** Facts of BPF_BTF_LOAD. */
export interface BtfFacts {
  readonly size: number;
  readonly sha256: string;
}

/** The subject of `bpf_map_create` and `bpf_map`. */
export interface BpfMap extends MapFacts {
  /** SHA-256 of its definition in lower-case hex: the same offline and in a gate. */
  readonly digest: string;
  /** The access that the fd gives. Null while the map is being created. */
  readonly access: MapAccess | null;
}

/** The subject of `bpf_token_create`. */
export interface Token {
  /** `BPF_TOKEN_CREATE`. */
  readonly name: CommandName;
  /** SHA-256 in lower-case hex: the same for all tokens. */
  readonly digest: string;
}

/** The subject of `bprm_check_security` and `kernel_read_file`. */
export interface File {
  /**
   * Null for a module that does not come from a file: init_module(2), or a memfd. Unknown for a module's file that a
   * gate does not find in its own mount namespace, or that is deleted; reading it is then the fault UNKNOWN_FACT.
   */
  readonly path?: string | null;
  /**
   * The last part of the path; of a module in a gate the name that the kernel lists it by. Null for a module in a gate
   * that is compressed, or has none.
   */
  readonly name: string | null;
  /** SHA-256 of the whole file in lower-case hex. */
  readonly sha256: string;
  /** The same as `sha256`. */
  readonly digest: string;
  readonly data: Bytes;
  /** Detached signature over `data`. Null if there is none, and in a gate. */
  readonly signature: Bytes | null;
  /** Why the kernel reads the file. */
  readonly purpose: FilePurpose;
  /**
   * Parameters of a kernel module. Null for any other file. Unknown for a module outside of a gate, where nobody loads
   * it; reading it is then the fault UNKNOWN_FACT.
   */
  readonly parameters?: string | null;
}

/** The subject of `blob_verify`. */
export interface Blob {
  readonly name: string;
  /** SHA-256 of `data` in lower-case hex. */
  readonly digest: string;
  readonly data: Bytes;
  /** Detached signature over `data`. Null if there is none. */
  readonly signature: Bytes | null;
}

/** What a policy exports: a function for each hook that it serves, which returns 0 or -errno. */
export interface Hooks {
  /** A program is about to be loaded, before the kernel's verifier. */
  bpf_prog_load(prog: Program, current: Current): number;
  /** A verified program's fd is about to be handed out. */
  bpf_prog(prog: Program, current: Current): number;
  /** A map is about to be created. */
  bpf_map_create(map: BpfMap, current: Current): number;
  /** A map's fd is about to be handed out. */
  bpf_map(map: BpfMap, current: Current): number;
  /** Any bpf(2) command. */
  bpf(command: Command, current: Current): number;
  /** A BPF token is about to be created. */
  bpf_token_create(token: Token, current: Current): number;
  /** A file is about to be executed. */
  bprm_check_security(file: File, current: Current): number;
  /** The kernel is about to read a kernel module. */
  kernel_read_file(file: File, current: Current): number;
  /** A program asks whether a blob may be used; no kernel has this hook. */
  blob_verify(blob: Blob, current: Current): number;
}

// The type of each hook's function has the hook's name. In JavaScript an editor then knows the
// parameters: `/** @type {import("countersign").BpfProgLoad} */`.

/** A program is about to be loaded, before the kernel's verifier. */
export type BpfProgLoad = Hooks["bpf_prog_load"];
/** A verified program's fd is about to be handed out. */
export type BpfProg = Hooks["bpf_prog"];
/** A map is about to be created. */
export type BpfMapCreate = Hooks["bpf_map_create"];
/** A map's fd is about to be handed out. */
export type BpfMapHook = Hooks["bpf_map"];
/** Any bpf(2) command. */
export type Bpf = Hooks["bpf"];
/** A BPF token is about to be created. */
export type BpfTokenCreate = Hooks["bpf_token_create"];
/** A file is about to be executed. */
export type BprmCheckSecurity = Hooks["bprm_check_security"];
/** The kernel is about to read a kernel module. */
export type KernelReadFile = Hooks["kernel_read_file"];
/** A program asks whether a blob may be used; no kernel has this hook. */
export type BlobVerify = Hooks["blob_verify"];

// All but closed lists have any other text too, since another version can have more names. An editor still offers
// those that are known.

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
  | "reveals_addresses"
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

/** A command of bpf(2) as linux/bpf.h calls it. */
export type CommandName =
  | "BPF_MAP_CREATE"
  | "BPF_MAP_LOOKUP_ELEM"
  | "BPF_MAP_UPDATE_ELEM"
  | "BPF_MAP_DELETE_ELEM"
  | "BPF_MAP_GET_NEXT_KEY"
  | "BPF_PROG_LOAD"
  | "BPF_OBJ_PIN"
  | "BPF_OBJ_GET"
  | "BPF_PROG_ATTACH"
  | "BPF_PROG_DETACH"
  | "BPF_PROG_TEST_RUN"
  | "BPF_PROG_GET_NEXT_ID"
  | "BPF_MAP_GET_NEXT_ID"
  | "BPF_PROG_GET_FD_BY_ID"
  | "BPF_MAP_GET_FD_BY_ID"
  | "BPF_OBJ_GET_INFO_BY_FD"
  | "BPF_PROG_QUERY"
  | "BPF_RAW_TRACEPOINT_OPEN"
  | "BPF_BTF_LOAD"
  | "BPF_BTF_GET_FD_BY_ID"
  | "BPF_TASK_FD_QUERY"
  | "BPF_MAP_LOOKUP_AND_DELETE_ELEM"
  | "BPF_MAP_FREEZE"
  | "BPF_BTF_GET_NEXT_ID"
  | "BPF_MAP_LOOKUP_BATCH"
  | "BPF_MAP_LOOKUP_AND_DELETE_BATCH"
  | "BPF_MAP_UPDATE_BATCH"
  | "BPF_MAP_DELETE_BATCH"
  | "BPF_LINK_CREATE"
  | "BPF_LINK_UPDATE"
  | "BPF_LINK_GET_FD_BY_ID"
  | "BPF_LINK_GET_NEXT_ID"
  | "BPF_ENABLE_STATS"
  | "BPF_ITER_CREATE"
  | "BPF_LINK_DETACH"
  | "BPF_PROG_BIND_MAP"
  | "BPF_TOKEN_CREATE"
  | "BPF_PROG_STREAM_READ_BY_FD"
  | (string & Record<never, never>);

/** A capability as linux/capability.h calls it. */
export type Capability =
  | "CAP_CHOWN"
  | "CAP_DAC_OVERRIDE"
  | "CAP_DAC_READ_SEARCH"
  | "CAP_FOWNER"
  | "CAP_FSETID"
  | "CAP_KILL"
  | "CAP_SETGID"
  | "CAP_SETUID"
  | "CAP_SETPCAP"
  | "CAP_LINUX_IMMUTABLE"
  | "CAP_NET_BIND_SERVICE"
  | "CAP_NET_BROADCAST"
  | "CAP_NET_ADMIN"
  | "CAP_NET_RAW"
  | "CAP_IPC_LOCK"
  | "CAP_IPC_OWNER"
  | "CAP_SYS_MODULE"
  | "CAP_SYS_RAWIO"
  | "CAP_SYS_CHROOT"
  | "CAP_SYS_PTRACE"
  | "CAP_SYS_PACCT"
  | "CAP_SYS_ADMIN"
  | "CAP_SYS_BOOT"
  | "CAP_SYS_NICE"
  | "CAP_SYS_RESOURCE"
  | "CAP_SYS_TIME"
  | "CAP_SYS_TTY_CONFIG"
  | "CAP_MKNOD"
  | "CAP_LEASE"
  | "CAP_AUDIT_WRITE"
  | "CAP_AUDIT_CONTROL"
  | "CAP_SETFCAP"
  | "CAP_MAC_OVERRIDE"
  | "CAP_MAC_ADMIN"
  | "CAP_SYSLOG"
  | "CAP_WAKE_ALARM"
  | "CAP_BLOCK_SUSPEND"
  | "CAP_AUDIT_READ"
  | "CAP_PERFMON"
  | "CAP_BPF"
  | "CAP_CHECKPOINT_RESTORE"
  | (string & Record<never, never>);

/** What the fd of a map lets its holder do: read, write, or both. */
export type MapAccess = "r" | "w" | "rw";

/** Why the kernel reads a file. */
export type FilePurpose = "exec" | "module";

/** What a loader may change in a program that is signed as a statement. */
export type SettingKind =
  | "variable"
  | "max_entries"
  | "value_size"
  | "key_size"
  | "autocreate"
  | "attach_target"
  | "type"
  | "flags"
  | (string & Record<never, never>);
