import { dPath, FILE, ofTask } from "./file-fillers.js";
import { ALL, type Arranged, cleared, type Filler, fills, none, TEXT, USER } from "./filler.js";
import type { Host } from "./hosts.js";
import * as hosts from "./hosts.js";

const NEVER = none("it cannot fail");

const probe = (helper: string, source: string) => `r1 = buffer; r2 = size; r3 = ${source}; call bpf_${helper}`;
const probes = (name: string, less: Arranged, long: string, host = hosts.RAW_TRACEPOINT): Filler =>
  fills(name, host, 40, [probe(name, "0"), less, probe(name, long)]);
const text = (offset: number) => `value text + ${offset}`;
const user = (address: number) => String(address);

const loadBytes = (helper: string, rest = "") =>
  [60_000, 0].map((offset) => `r1 = r6; r2 = ${offset}; r3 = buffer; r4 = size; ${rest}call bpf_${helper}`);
const loads = (name: string, host: Host, rest = ""): Filler => {
  const [fails, succeeds] = loadBytes(name, rest);
  return fills(name, host, 40, [fails!, ALL, succeeds!]);
};

const tunnelKey = "r1 = r6; r2 = spare; r3 = 44; r4 = 0; call bpf_skb_set_tunnel_key";
const getKey = "r1 = r6; r2 = buffer; r3 = size; r4 = 0; call bpf_skb_get_tunnel_key";
const setOption = (size: number) => `${tunnelKey}; r1 = r6; r2 = spare; r3 = ${size}; call bpf_skb_set_tunnel_opt`;
const getOption = "r1 = r6; r2 = buffer; r3 = size; call bpf_skb_get_tunnel_opt";

const getsockopt = (level: number, option: number) =>
  `r1 = r6; r2 = ${level}; r3 = ${option}; r4 = buffer; r5 = size; call bpf_getsockopt`;
/** BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, at which the SYN that the listener saved is there. */
const ESTABLISHED = "r1 = *(u32 *)(r6 + 0); if r1 != 5 goto out";
/**
 * BPF_SOCK_OPS_TSTAMP_SENDMSG_CB, of a connection on which BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB has asked for it
 * (SK_BPF_CB_TX_TIMESTAMPING).
 */
const SENT =
  "r1 = *(u32 *)(r6 + 0); if r1 != 4 goto other; *(u64 *)(r10 - 16) = 1; " +
  "r1 = r6; r2 = 1; r3 = 1009; r4 = spare; r5 = 4; call bpf_setsockopt; goto out; other: if r1 != 20 goto out";
const SOCKET_OPTION = { SO_MARK: 36, TCP_CONGESTION: 13, TCP_BPF_SYN: 1005 } as const;
const [SOL_SOCKET, SOL_TCP] = [1, 6];

const stack = (helper: string, flags: number) => `r1 = r6; r2 = buffer; r3 = size; r4 = ${flags}; call bpf_${helper}`;
const taskStack = (flags: number) =>
  `call bpf_get_current_task_btf; r1 = r0; r2 = buffer; r3 = size; r4 = ${flags}; call bpf_get_task_stack`;
const USER_STACK = 0x100;
/** A bit that no flag has. */
const BAD_FLAGS = 1 << 20;

export const sysctlRead = hosts.sysctl("</proc/sys/kernel/ostype");
const sysctlWrite = hosts.sysctl(">/proc/sys/kernel/panic");
const sysctlName = "r1 = r6; r2 = buffer; r3 = size; r4 = 0; call bpf_sysctl_get_name";
const sysctlValue = (which: string) => `r1 = r6; r2 = buffer; r3 = size; call bpf_sysctl_get_${which}_value`;
const parse = (helper: string, offset: number) =>
  `r1 = value text + ${offset}; r2 = 2; r3 = 0; r4 = buffer; call bpf_${helper}`;
const parses = (name: string) => fills(name, sysctlRead, 8, [parse(name, TEXT.short), ALL, parse(name, TEXT.number)]);

const pidOf = (dev: string, ino: string) =>
  `r1 = value env + 0; r2 = *(u64 *)(r1 + 8); r1 = *(u64 *)(r1 + 0); ${dev}${ino}` +
  "r3 = buffer; r4 = size; call bpf_get_ns_current_pid_tgid";

/** `struct btf_ptr` in the spare bytes. */
const BTF_POINTER =
  "r1 = value text + 0; *(u64 *)(r10 - 24) = r1; *(u32 *)(r10 - 16) = type(int); *(u32 *)(r10 - 12) = 0";
const printBtf = (flags: number) => `r1 = buffer; r2 = size; r3 = spare; r4 = 16; r5 = ${flags}; call bpf_snprintf_btf`;
const print = (format: string, size: string) =>
  `${size}; r1 = buffer; r2 = size; r3 = value ${format} + 0; r4 = spare; call bpf_snprintf`;
/** A size that the verifier does not know: it is no multiple of 8. */
const HALF = `r5 = value text + ${TEXT.four}; r5 = *(u64 *)(r5 + 0); r5 &= 7`;

const DYNPTR = "r1 = value text + 0; r2 = 64; r3 = 0; r4 = spare; call bpf_dynptr_from_mem";
const dynptrRead = (offset: number, flags = 0) =>
  `r1 = buffer; r2 = size; r3 = spare; r4 = ${offset}; r5 = ${flags}; call bpf_dynptr_read`;

const queued = (helper: string) => `r1 = map queue; r2 = buffer; call bpf_map_${helper}_elem`;
const pushed = "r1 = map queue; r2 = spare; r3 = 0; call bpf_map_push_elem";
const queues = (helper: string) =>
  fills(`map_${helper}_elem`, hosts.XDP, 40, [queued(helper), ALL, `${pushed}; ${queued(helper)}`], cleared(40));

const argument = (index: number) => `r1 = r6; r2 = ${index}; r3 = buffer; call bpf_get_func_arg`;
const LBR = none("needs a processor that records branches");

/** Helpers with a buffer in the frame, by the order of their ids. */
export const HELPERS: readonly Filler[] = [
  probes("probe_read", ALL, text(TEXT.long)),
  fills("get_current_comm", hosts.RAW_TRACEPOINT, 40, [
    NEVER,
    "r1 = buffer; r2 = size; call bpf_get_current_comm",
    none("a command's name has at most 15 bytes"),
  ]),
  fills("skb_get_tunnel_key", hosts.TC, 44, [getKey, ALL, `${tunnelKey}; ${getKey}`], cleared(48)),
  // A size that older versions of the struct had, and one that no version had.
  fills("skb_get_tunnel_key", hosts.TC, 28, [getKey, ALL, `${tunnelKey}; ${getKey}`], cleared(48)),
  fills(
    "skb_get_tunnel_key",
    hosts.TC,
    40,
    [`${tunnelKey}; ${getKey}`, ALL, none("succeeds for other sizes")],
    cleared(48),
  ),
  loads("skb_load_bytes", hosts.TC),
  loads("skb_load_bytes", hosts.SOCKET_FILTER),
  fills("skb_load_bytes", hosts.FLOW_DISSECTOR, 40, [
    loadBytes("skb_load_bytes")[0]!,
    ALL,
    none("needs a socket buffer, which a test run has not"),
  ]),
  loads("skb_load_bytes", hosts.REUSEPORT),
  fills(
    "skb_get_tunnel_opt",
    hosts.TC,
    40,
    [getOption, `${setOption(8)}; ${getOption}`, `${setOption(40)}; ${getOption}`],
    cleared(48),
  ),
  probes("probe_read_str", probe("probe_read_str", text(TEXT.short)), text(TEXT.long)),
  fills("perf_event_read_value", hosts.RAW_TRACEPOINT, 24, [
    "r1 = map events; r2 = 5; r3 = buffer; r4 = size; call bpf_perf_event_read_value",
    ALL,
    "r1 = map events; r2 = 0; r3 = buffer; r4 = size; call bpf_perf_event_read_value",
  ]),
  fills("perf_prog_read_value", hosts.PERF_EVENT, 24, [
    none("fails for another size"),
    ALL,
    "r1 = r6; r2 = buffer; r3 = size; call bpf_perf_prog_read_value",
  ]),
  fills("perf_prog_read_value", hosts.PERF_EVENT, 16, [
    "r1 = r6; r2 = buffer; r3 = size; call bpf_perf_prog_read_value",
    ALL,
    none("succeeds for another size"),
  ]),
  fills("getsockopt", hosts.CONNECT, 4, [getsockopt(77, 1), ALL, getsockopt(SOL_SOCKET, SOCKET_OPTION.SO_MARK)]),
  fills("getsockopt", hosts.CONNECT, 40, [
    getsockopt(SOL_SOCKET, 9_999),
    none("no option of a datagram socket is a text"),
    none("no option is that long"),
  ]),
  fills(
    "getsockopt",
    hosts.SOCK_OPS,
    40,
    [
      getsockopt(SOL_TCP, 9_999),
      getsockopt(SOL_TCP, SOCKET_OPTION.TCP_CONGESTION),
      getsockopt(SOL_TCP, SOCKET_OPTION.TCP_BPF_SYN),
    ],
    { setup: ESTABLISHED },
  ),
  fills(
    "getsockopt",
    hosts.SOCK_OPS,
    120,
    [
      getsockopt(77, SOCKET_OPTION.TCP_BPF_SYN),
      getsockopt(SOL_TCP, SOCKET_OPTION.TCP_BPF_SYN),
      none("no option is that long"),
    ],
    { setup: ESTABLISHED },
  ),
  // From Linux 6.14 on, calls that come without the socket's lock fail before the buffer is touched.
  fills(
    "getsockopt",
    hosts.SOCK_OPS,
    40,
    [getsockopt(SOL_TCP, SOCKET_OPTION.TCP_CONGESTION), none("where the socket is locked"), none("where it is locked")],
    { setup: SENT, spare: 8 },
  ),
  fills("skb_get_xfrm_state", hosts.TC, 28, [
    "r1 = r6; r2 = 0; r3 = buffer; r4 = size; r5 = 0; call bpf_skb_get_xfrm_state",
    ALL,
    none("needs a packet that IPsec has decrypted"),
  ]),
  fills("get_stack", hosts.RAW_TRACEPOINT, 40, [
    stack("get_stack", BAD_FLAGS),
    stack("get_stack", USER_STACK),
    stack("get_stack", 0),
  ]),
  fills("get_stack", hosts.PERF_EVENT, 40, [
    stack("get_stack", BAD_FLAGS),
    stack("get_stack", USER_STACK),
    stack("get_stack", 0),
  ]),
  loads("skb_load_bytes_relative", hosts.TC, "r5 = 0; "),
  loads("skb_load_bytes_relative", hosts.REUSEPORT, "r5 = 0; "),
  fills("fib_lookup", hosts.XDP, 64, [
    "r1 = r6; r2 = buffer; r3 = size; r4 = 1048576; call bpf_fib_lookup",
    "*(u8 *)(r10 - 72) = 2; *(u32 *)(r10 - 64) = 1; r1 = r6; r2 = buffer; r3 = size; r4 = 0; call bpf_fib_lookup",
    none("it changes only some fields"),
  ]),
  queues("pop"),
  queues("peek"),
  fills("sysctl_get_name", sysctlRead, 40, [none("fails for another size"), sysctlName, none("for another size")]),
  fills("sysctl_get_name", sysctlRead, 14, [none("fails for another size"), none("for another size"), sysctlName]),
  fills("sysctl_get_name", sysctlRead, 8, [sysctlName, none("for another size"), none("for another size")]),
  fills("sysctl_get_current_value", sysctlRead, 40, [
    none("fails for another size"),
    sysctlValue("current"),
    none("for another size"),
  ]),
  fills("sysctl_get_current_value", sysctlRead, 4, [
    sysctlValue("current"),
    none("for another size"),
    none("for another size"),
  ]),
  fills("sysctl_get_new_value", sysctlRead, 40, [
    sysctlValue("new"),
    none("where a value is written"),
    none("where a value is written"),
  ]),
  fills("sysctl_get_new_value", sysctlWrite, 40, [
    none("where no value is written"),
    sysctlValue("new"),
    none("for another size"),
  ]),
  parses("strtol"),
  parses("strtoul"),
  probes("probe_read_user", probe("probe_read_user", user(USER.end)), user(USER.long)),
  probes("probe_read_kernel", ALL, text(TEXT.long)),
  probes("probe_read_user_str", probe("probe_read_user_str", user(USER.short)), user(USER.long)),
  fills("probe_read_user_str", hosts.RAW_TRACEPOINT, 40, [
    probe("probe_read_user_str", user(USER.end)),
    none("from another address"),
    none("from another address"),
  ]),
  probes("probe_read_kernel_str", probe("probe_read_kernel_str", text(TEXT.short)), text(TEXT.long)),
  fills("read_branch_records", hosts.PERF_EVENT, 24, [stack("read_branch_records", 0), LBR, LBR]),
  fills("get_ns_current_pid_tgid", hosts.RAW_TRACEPOINT, 8, [pidOf("r1 = 0; ", ""), ALL, pidOf("", "")]),
  fills("get_task_stack", hosts.FENTRY, 40, [taskStack(BAD_FLAGS), taskStack(USER_STACK), taskStack(0)]),
  fills(
    "load_hdr_opt",
    hosts.SOCK_OPS,
    40,
    [
      "r1 = r6; r2 = buffer; r3 = size; r4 = 0; call bpf_load_hdr_opt",
      "*(u8 *)(r10 - 48) = 2; *(u8 *)(r10 - 47) = 0; r1 = r6; r2 = buffer; r3 = size; r4 = 1; call bpf_load_hdr_opt",
      none("no option of TCP is that long"),
    ],
    { setup: ESTABLISHED },
  ),
  ...dPath("bpf_d_path"),
  fills("copy_from_user", FILE, 40, [
    probe("copy_from_user", "0"),
    probe("copy_from_user", user(USER.end)),
    probe("copy_from_user", user(USER.long)),
  ]),
  fills("snprintf_btf", hosts.XDP, 40, [printBtf(BAD_FLAGS), printBtf(0), none("no number is that long")], {
    spare: 16,
    setup: BTF_POINTER,
  }),
  fills("ima_inode_hash", FILE, 40, [
    "r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + offset(file.f_inode)); r2 = buffer; r3 = size; call bpf_ima_inode_hash",
    none("needs a file that a policy of IMA measures"),
    none("no digest is that long"),
  ]),
  fills("check_mtu", hosts.XDP, 4, [
    "r1 = r6; r2 = 9999; r3 = buffer; r4 = 0; r5 = 0; call bpf_check_mtu",
    ALL,
    "r1 = r6; r2 = 1; r3 = buffer; r4 = 0; r5 = 0; call bpf_check_mtu",
  ]),
  fills(
    "snprintf",
    hosts.XDP,
    40,
    [print("short", HALF), print("short", "r5 = 0"), print("long", "r5 = 0")],
    cleared(8),
  ),
  fills("get_branch_snapshot", hosts.RAW_TRACEPOINT, 24, [
    "r1 = buffer; r2 = size; r3 = 1; call bpf_get_branch_snapshot",
    LBR,
    LBR,
  ]),
  fills("get_func_arg", hosts.FENTRY, 8, [argument(9), ALL, argument(0)]),
  fills("get_func_ret", hosts.FENTRY, 8, [
    "r1 = r6; r2 = buffer; call bpf_get_func_ret",
    ALL,
    none("a function that returns"),
  ]),
  fills("get_func_ret", hosts.FEXIT, 8, [
    none("before the function returns"),
    ALL,
    "r1 = r6; r2 = buffer; call bpf_get_func_ret",
  ]),
  loads("xdp_load_bytes", hosts.XDP),
  fills("copy_from_user_task", FILE, 40, [
    ofTask("bpf_copy_from_user_task", USER.long, 1),
    ofTask("bpf_copy_from_user_task", USER.end, 0),
    ofTask("bpf_copy_from_user_task", USER.long, 0),
  ]),
  // A file that is not open yet cannot be read.
  fills("ima_file_hash", FILE, 40, [
    "r1 = *(u64 *)(r6 + 0); r2 = buffer; r3 = size; call bpf_ima_file_hash",
    none("where a file is executed"),
    none("no digest is that long"),
  ]),
  ...[40, 16].map((size) => {
    const hash =
      "r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + offset(linux_binprm.file)); " +
      "r2 = buffer; r3 = size; call bpf_ima_file_hash";
    const other = none("for another size");
    return fills("ima_file_hash", hosts.EXECUTED, size, [
      none("a file that is not open"),
      size === 40 ? hash : other,
      size === 16 ? hash : other,
    ]);
  }),
  fills("dynptr_read", hosts.XDP, 40, [dynptrRead(60), ALL, dynptrRead(0)], { spare: 16, setup: DYNPTR }),
  fills("dynptr_read", hosts.XDP, 40, [dynptrRead(0, 1), ALL, none("without the flag")], { spare: 16, setup: DYNPTR }),
];
