import { sha256 } from "../../bpf/insn/digest.js";
import { ERRNO } from "../../errno.js";
import { type Attr, FLAG, GET } from "../call/attr.js";
import type { CopiedName } from "../call/command.js";
import { deny } from "../call/failure.js";
import { ATTACH, attachFacts, planAttachment, planLink } from "./copied/attach.js";
import { type CopiedCommand, PLAIN } from "./copied/copied-command.js";
import { REPLACE } from "./copied/fields.js";
import { objectAt } from "./copied/held.js";
import { planPin } from "./copied/pin.js";
import type { Target } from "./copied/target.js";
import { LINK_CREATE, targetOf } from "./copied/targets.js";
import { textOf } from "./copied/texts.js";
import { denyToken } from "./objects/token-fd.js";

const TEST_RUN = {
  progFd: 0,
  retval: 4,
  dataSizeIn: 8,
  dataSizeOut: 12,
  dataIn: 16,
  dataOut: 24,
  repeat: 32,
  duration: 36,
  ctxSizeIn: 40,
  ctxSizeOut: 44,
  ctxIn: 48,
  ctxOut: 56,
  flags: 64,
  cpu: 68,
  batchSize: 72,
  size: 80,
} as const;

const RAW_TRACEPOINT = { name: 0, progFd: 8, cookie: 16, size: 24 } as const;

const BTF = {
  btf: 0,
  btfLogBuf: 8,
  btfSize: 16,
  btfLogSize: 20,
  btfLogLevel: 24,
  btfLogTrueSize: 28,
  btfFlags: 32,
  btfTokenFd: 36,
  size: 40,
} as const;

const LINK_UPDATE = { linkFd: 0, newProgFd: 4, flags: 8, oldProgFd: 12, size: 16 } as const;

const MIB = 2 ** 20;
/** Larger than any packet or context that the kernel accepts (net/bpf/test_run.c, bpf_prog_test_run_syscall). */
const MAX_RUN_BYTES = MIB;
/** Limit of repetitions in a test run, because the gate waits until the run ends. */
const MAX_REPEAT = 1 << 16;
/** The kernel reads at most this many bytes of a name (bpf_raw_tp_link_attach of kernel/bpf/syscall.c). */
const MAX_TRACEPOINT_NAME = 127;
/** BTF_MAX_SIZE of linux/btf.h. */
const MAX_BTF = 16 * MIB;
/** Size of large BTF in bytes. The kernel takes 15 to 30 ns for each byte. */
const LARGE_BTF = 64 * 2 ** 10;
/** A link with more functions or offsets than this is large. */
const MANY_PROBES = 64;
/** BPF_PROG_TYPE_SYSCALL. */
const SYSCALL = 31;

const OWN_FDS = "what a program that calls bpf(2) makes would be the gate's and not the task's";

const TRACEPOINT: Target = {
  kind: "tracepoint",
  by: "nothing",
  fields: [],
  facts: ({ copy: { bytes }, object }) => {
    const name = bytes.get(RAW_TRACEPOINT.name);
    return { name: name === undefined ? (object?.attachTo ?? null) : textOf(name) };
  },
};
const LINK: Target = { kind: "link", by: "nothing", fields: [] };

const never = () => false;

/** One row for each command with treatment `copy`. */
export const COPIED_COMMANDS: Readonly<Record<CopiedName, CopiedCommand>> = {
  BPF_OBJ_PIN: {
    layout: {
      attr: GET,
      namespaces: "cgroup",
      noObject: -ERRNO.EINVAL,
      fields: [
        { is: "fd", at: GET.bpfFd, role: "object" },
        { is: "value", at: GET.fileFlags },
        { is: "value", at: GET.pathFd },
      ],
    },
    isLong: never,
    plan: planPin,
  },
  BPF_PROG_ATTACH: {
    layout: {
      attr: ATTACH,
      namespaces: "cgroup",
      fields: [
        { is: "fd", at: ATTACH.attachBpfFd, role: "object" },
        { is: "value", at: ATTACH.attachType },
        { is: "value", at: ATTACH.attachFlags },
        { is: "fd", at: ATTACH.replaceBpfFd, role: "replaced", none: { flags: ATTACH.attachFlags, bit: REPLACE } },
        { is: "relative", at: ATTACH.relativeFd, flags: ATTACH.attachFlags },
        { is: "value", at: ATTACH.expectedRevision, size: 8 },
      ],
    },
    isLong: never,
    plan: planAttachment,
    facts: attachFacts(ATTACH.attachType, ATTACH.attachFlags),
  },
  /**
   * If attach_bpf_fd is 0, the kernel detaches whatever program is attached; libbpf's bpf_prog_detach uses this. For
   * cgroups the kernel treats any fd that is not a program like 0 (cgroup_bpf_prog_detach of kernel/bpf/cgroup.c).
   */
  BPF_PROG_DETACH: {
    layout: {
      attr: ATTACH,
      namespaces: "cgroup",
      anyObject: true,
      fields: [
        { is: "fd", at: ATTACH.attachBpfFd, role: "object", none: "zero" },
        { is: "value", at: ATTACH.attachType },
        { is: "value", at: ATTACH.attachFlags },
        { is: "fd", at: ATTACH.replaceBpfFd, role: "none", none: "zero" },
        { is: "relative", at: ATTACH.relativeFd, flags: ATTACH.attachFlags },
        { is: "value", at: ATTACH.expectedRevision, size: 8 },
      ],
    },
    isLong: never,
    plan: planAttachment,
    facts: attachFacts(ATTACH.attachType, ATTACH.attachFlags),
  },
  BPF_PROG_TEST_RUN: {
    layout: {
      attr: TEST_RUN,
      writesOn: [-ERRNO.ENOSPC],
      fields: [
        { is: "fd", at: TEST_RUN.progFd, role: "object" },
        { is: "result", at: TEST_RUN.retval },
        { is: "in", at: TEST_RUN.dataIn, length: TEST_RUN.dataSizeIn, most: MAX_RUN_BYTES },
        // unbounded: bpf_test_finish of net/bpf/test_run.c
        { is: "out", at: TEST_RUN.dataOut, length: TEST_RUN.dataSizeOut, most: MAX_RUN_BYTES, unbounded: true },
        { is: "result", at: TEST_RUN.dataSizeOut },
        { is: "value", at: TEST_RUN.repeat, most: MAX_REPEAT },
        { is: "result", at: TEST_RUN.duration },
        { is: "in", at: TEST_RUN.ctxIn, length: TEST_RUN.ctxSizeIn, most: MAX_RUN_BYTES },
        { is: "out", at: TEST_RUN.ctxOut, length: TEST_RUN.ctxSizeOut, most: MAX_RUN_BYTES },
        { is: "result", at: TEST_RUN.ctxSizeOut },
        { is: "value", at: TEST_RUN.flags },
        { is: "value", at: TEST_RUN.cpu },
        { is: "value", at: TEST_RUN.batchSize },
      ],
    },
    // even a single run of a program can take any time
    isLong: () => true,
    plan: (call, given) => {
      if (objectAt(call, given, TEST_RUN.progFd).programType !== SYSCALL) return PLAIN;
      if (call.settings.loaderRuns === "ask") return { ...PLAIN, left: true };
      return deny("loader_run", `${OWN_FDS} (gate.loader_runs)`);
    },
    facts: ({ given }) => ({
      run: {
        repeat: given.u32(TEST_RUN.repeat),
        flags: given.u32(TEST_RUN.flags),
        data_size_in: given.u32(TEST_RUN.dataSizeIn),
        data_size_out: given.u32(TEST_RUN.dataSizeOut),
        ctx_size_in: given.u32(TEST_RUN.ctxSizeIn),
        ctx_size_out: given.u32(TEST_RUN.ctxSizeOut),
      },
    }),
  },
  BPF_RAW_TRACEPOINT_OPEN: {
    layout: {
      attr: RAW_TRACEPOINT,
      givesFd: true,
      fields: [
        { is: "text", at: RAW_TRACEPOINT.name, most: MAX_TRACEPOINT_NAME },
        { is: "fd", at: RAW_TRACEPOINT.progFd, role: "object" },
        { is: "value", at: RAW_TRACEPOINT.cookie, size: 8 },
      ],
    },
    isLong: never,
    plan: (call, given) => {
      objectAt(call, given, RAW_TRACEPOINT.progFd);
      return { ...PLAIN, target: TRACEPOINT };
    },
    facts: attachFacts(null, null),
  },
  BPF_BTF_LOAD: {
    layout: {
      attr: BTF,
      givesFd: true,
      writesOn: null,
      fields: [
        { is: "in", at: BTF.btf, length: BTF.btfSize, most: MAX_BTF },
        { is: "out", at: BTF.btfLogBuf, length: BTF.btfLogSize, most: 16 * MIB, text: true },
        { is: "value", at: BTF.btfLogLevel },
        { is: "result", at: BTF.btfLogTrueSize },
        { is: "value", at: BTF.btfFlags },
        { is: "fd", at: BTF.btfTokenFd, role: "token", none: { flags: BTF.btfFlags, bit: FLAG.tokenFd } },
      ],
    },
    isLong: (attr) => attr.u32(BTF.btfSize) > LARGE_BTF,
    plan: (call, given) => {
      if (given.u32(BTF.btfFlags) & FLAG.tokenFd) denyToken(call, given.s32(BTF.btfTokenFd));
      return PLAIN;
    },
    facts: ({ given, bytes }) => {
      return { btf: { size: given.u32(BTF.btfSize), sha256: sha256(bytes.get(BTF.btf) ?? new Uint8Array(0)) } };
    },
  },
  /** The plan adds the fields of the target. */
  BPF_LINK_CREATE: {
    layout: {
      attr: LINK_CREATE,
      namespaces: "cgroup",
      givesFd: true,
      fields: [
        { is: "fd", at: LINK_CREATE.progFd, role: "object" },
        { is: "value", at: LINK_CREATE.attachType },
        { is: "value", at: LINK_CREATE.flags },
      ],
    },
    isLong: hasManyProbes,
    plan: planLink,
    facts: attachFacts(LINK_CREATE.attachType, LINK_CREATE.flags),
  },
  BPF_LINK_UPDATE: {
    layout: {
      attr: LINK_UPDATE,
      fields: [
        { is: "fd", at: LINK_UPDATE.linkFd, role: "link" },
        { is: "fd", at: LINK_UPDATE.newProgFd, role: "object" },
        { is: "value", at: LINK_UPDATE.flags },
        { is: "fd", at: LINK_UPDATE.oldProgFd, role: "replaced", none: { flags: LINK_UPDATE.flags, bit: REPLACE } },
      ],
    },
    isLong: never,
    plan: () => ({ ...PLAIN, target: LINK }),
    facts: attachFacts(null, LINK_UPDATE.flags),
  },
};

function hasManyProbes(attr: Attr): boolean {
  const count = targetOf(attr.u32(LINK_CREATE.attachType), 0)?.probeCount;
  return count !== undefined && attr.u32(count) > MANY_PROBES;
}
