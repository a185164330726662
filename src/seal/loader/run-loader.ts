import { spawnSync } from "node:child_process";
import { CountersignError, type ErrorCode } from "../../error.js";
import { bundleFile } from "../../installed.js";
import { type WeakMountPoint, weakMountPoints } from "./mount-points.js";
import { OTHER_VERSION } from "./other-version.js";

/** What the loader did. */
export interface StartedGuard {
  readonly mode: "enforce" | "audit";
  /** Id of the map guard_status. */
  readonly statusMap: number;
  readonly programs: readonly { readonly name: string; readonly section: string; readonly id: number }[];
  readonly weakMountPoints: readonly WeakMountPoint[];
}

/** The loader's file; the initramfs has a copy of it. */
export const loaderFile = (): string => bundleFile("seal/loader.bin");

export interface StartOptions {
  /** The ids of the programs that may be loaded already; null for any. */
  readonly loaded: readonly number[] | null;
  /** The id of the process that becomes the agent, whose tickets let programs load; null for none. */
  readonly agent?: number | null;
}

/**
 * Has the loader seal the guard of an image, or attach it for audit. Throws SEAL_… errors; after one of them the
 * machine is as it was.
 */
export function startGuard(image: Uint8Array, { loaded, agent = null }: StartOptions): StartedGuard {
  const words = [
    ...(loaded === null ? [] : ["--loaded", loaded.join(",")]),
    ...(agent === null ? [] : ["--agent", `${agent}`]),
  ];
  const answer = ask([...words, "-"], image);
  if (answer.mode === undefined) throw failureOf(answer);
  return {
    mode: answer.mode,
    statusMap: answer.status_map!,
    programs: answer.programs!,
    weakMountPoints: weakMountPoints(),
  };
}

/** Detaches a guard that is in audit. Returns the number of its programs. Throws SEAL_RUNNING if it is sealed. */
export function stopGuard(): number {
  const answer = ask(["--stop"]);
  if (answer.stopped === undefined) throw failureOf(answer);
  return answer.stopped;
}

/** The line of JSON that the loader prints (loader.c). */
export interface Answer {
  readonly mode?: "enforce" | "audit";
  readonly status_map?: number;
  readonly programs?: StartedGuard["programs"];
  readonly stopped?: number;
  readonly step?: string;
  readonly place?: string;
  readonly errno?: string | null;
  readonly detail?: string;
}

function ask(words: readonly string[], input?: Uint8Array): Answer {
  const run = spawnSync(loaderFile(), words, { input, encoding: "utf8", maxBuffer: 1 << 20 });
  const line = run.stdout?.trim() ?? "";
  if (line !== "") return JSON.parse(line) as Answer;
  throw new CountersignError("SEAL_FAILED", `the loader ended without an answer: ${run.error?.message ?? run.signal}`, {
    place: loaderFile(),
    remedy: "report this",
    cause: run.error,
  });
}

interface StepRow {
  readonly code: ErrorCode;
  readonly remedy: string;
}

const REPORT = "report this, with the version of the kernel";
const KERNEL = "use a kernel with BPF LSM and BTF: Linux 6.12 or later with CONFIG_BPF_LSM and CONFIG_DEBUG_INFO_BTF";
const ENFORCE = "boot with bpf in `lsm=`, and set kernel.ftrace_enabled to 1";
/** Steps of the loader (failure.h). */
const STEPS: Readonly<Record<string, StepRow>> = {
  start: { code: "SEAL_UNSUPPORTED", remedy: "run it as root, outside of containers" },
  image: { code: "SEAL_FAILED", remedy: "use the loader and the image of one version of Countersign" },
  version: { code: "SEAL_RUNNING", remedy: OTHER_VERSION },
  running: { code: "SEAL_RUNNING", remedy: "boot the machine again to change the guard" },
  kernel: { code: "SEAL_UNSUPPORTED", remedy: KERNEL },
  enforced: { code: "SEAL_NOT_ENFORCED", remedy: ENFORCE },
  list: {
    code: "SEAL_LIST_OTHER_KERNEL",
    remedy: "build a list with the BTF of this kernel: `countersign seal build --btf /sys/kernel/btf/vmlinux`",
  },
  keys: {
    code: "SEAL_FAILED",
    remedy: "use certificates of RSA or ECDSA keys, which the kernel can verify with; boot again after an earlier seal",
  },
  btf: { code: "SEAL_FAILED", remedy: REPORT },
  map: { code: "SEAL_FAILED", remedy: "free memory, or use a smaller list" },
  program: { code: "SEAL_FAILED", remedy: REPORT },
  cgroup: { code: "SEAL_UNSUPPORTED", remedy: "use a kernel with cgroup v2" },
  pins: { code: "SEAL_FAILED", remedy: "remove /sys/fs/bpf/countersign" },
  attach: {
    code: "SEAL_FAILED",
    remedy: "detach other LSM programs of cgroups: `bpftool cgroup show /sys/fs/cgroup` lists them",
  },
  loaded: {
    code: "SEAL_UNLISTED_LOADED",
    remedy: "list the program, unload it, or use `--accept-loaded`",
  },
  canary: { code: "SEAL_NOT_ENFORCED", remedy: ENFORCE },
  agent: { code: "SEAL_FAILED", remedy: "name a process that runs in the first pid namespace, by its process id" },
  stop: { code: "SEAL_NOT_RUNNING", remedy: "start one with `countersign seal start --audit`" },
  latch: { code: "SEAL_FAILED", remedy: REPORT },
};

/** The kernel has what the guard needs, and root may not load LSM programs: a restriction of this kernel. */
const NOT_PERMITTED: StepRow = {
  code: "SEAL_UNSUPPORTED",
  remedy: "this kernel lets nobody load LSM programs: use another one; `countersign seal doctor` says what it needs",
};

/** The error of what the loader says that it could not do. */
export function failureOf({ step = "", place, errno, detail = "" }: Answer): CountersignError {
  const isNotPermitted = step === "program" && errno === "EPERM";
  const row = isNotPermitted ? NOT_PERMITTED : (STEPS[step] ?? { code: "SEAL_FAILED", remedy: REPORT });
  const message = errno == null ? detail : `${detail}: ${errno}`;
  return new CountersignError(row.code, message, { place, remedy: row.remedy });
}
