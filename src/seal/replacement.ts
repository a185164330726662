/** Gives the guard of this machine a new list, which the trusted key has signed. Needs root, and a seal. */
import { readFileSync } from "node:fs";
import { ERRNO, verdictName } from "../errno.js";
import { CountersignError, type ErrorCode } from "../error.js";
import { bpf } from "../sys/bpf.js";
import { addressOf, keepAlive } from "../sys/libc.js";
import { hash } from "../trust/base/digest.js";
import { type List, NO_FILES, requireKernel } from "./list.js";
import type { ListFile } from "./list-file.js";
import { type GuardStatus, readStatus } from "./status.js";

/** GUARD_COMMAND_LIST and struct guard_list_command of guard/interface.h. */
export const LIST_COMMAND = {
  number: 0x6704,
  size: 24,
  offsets: { list: 0, signature: 8, list_size: 16, signature_size: 20 },
} as const;

/**
 * Replaces the list in force. The guard copies list and signature, has the kernel verify the signature, and switches to
 * the new list at once; after an error the old one stays in force. Throws SEAL_NOT_RUNNING, SEAL_NO_ACCESS,
 * SEAL_DENIED, SEAL_LIST_… and SEAL_LIST_NOT_REPLACED.
 */
export function replaceList(file: ListFile): void {
  const status = readStatus();
  if (status === null)
    throw new CountersignError("SEAL_NOT_RUNNING", "no guard runs on this machine", {
      remedy: "start one with `countersign seal start`",
    });
  requireFit(file, status, readFileSync("/sys/kernel/btf/vmlinux"), readFileSync("/proc/sys/kernel/osrelease", "utf8"));
  const result = give(file);
  if (result !== -ERRNO.EALREADY) throw rejectionBy(result);
}

/** What the guard will compare, for messages that say more than an errno. Throws SEAL_LIST_… errors. */
export function requireFit(
  { list, signature }: ListFile,
  { generation, files, classes }: InForce,
  kernelBtf: Uint8Array,
  release: string,
): void {
  requireKernel(list, hash("sha256", kernelBtf), release.trim());
  if (signature === null) throw error("SEAL_LIST_UNSIGNED", "has no signature beside it", SIGN);
  if (list.header.generation <= generation)
    throw error(
      "SEAL_LIST_OLDER",
      `has generation ${list.header.generation}, and ${generation} is in force`,
      "build the list again: by default its generation is the present time",
    );
  requireSameRules(list, { files, classes });
}

/** What of the guard's status a new list is compared with. */
export interface InForce {
  readonly generation: bigint;
  readonly files: Pick<GuardStatus["files"], "sha256">;
  readonly classes: Pick<GuardStatus["classes"], "sha256">;
}

/**
 * Requires that a list has the classes, the mask and the list of files that are in force, since a new list changes
 * programs only. Throws SEAL_LIST_OTHER_RULES.
 */
function requireSameRules(list: List, inForce: Omit<InForce, "generation">): void {
  const differences = ruleDifferences(list, inForce);
  if (differences.length > 0)
    throw error(OTHER_RULES, `has ${differences.join(", and ")} than is in force`, SAME_RULES);
}

/** What a list has that differs from what is in force and that no new list changes; empty if nothing does. */
export function ruleDifferences({ header }: List, { files, classes }: Omit<InForce, "generation">): readonly string[] {
  return [
    header.classes === classes.sha256 ? [] : "other classes or another mask",
    header.files === (files.sha256 ?? NO_FILES) ? [] : "another list of modules and executables",
  ].flat();
}

function give({ bytes, signature }: ListFile): number {
  const command = new DataView(new ArrayBuffer(LIST_COMMAND.size));
  const { offsets } = LIST_COMMAND;
  command.setBigUint64(offsets.list, BigInt(addressOf(bytes)), true);
  command.setBigUint64(offsets.signature, BigInt(addressOf(signature)), true);
  command.setUint32(offsets.list_size, bytes.length, true);
  command.setUint32(offsets.signature_size, signature?.length ?? 0, true);
  return bpf(LIST_COMMAND.number, keepAlive(new Uint8Array(command.buffer), bytes, signature));
}

const SIGN = "sign it with the trusted key: `countersign seal build --key KEY --cert CERT`";

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

const row = (code: ErrorCode, message: string, remedy: string): Row => ({ code, message, remedy });

const REPLACED = "SEAL_LIST_NOT_REPLACED";
const OTHER_RULES = "SEAL_LIST_OTHER_RULES";
const SAME_RULES =
  "build it with the classes, modules and executables of the list in force, or seal with it at the next boot";
const NEXT_BOOT = "seal the machine with the new list from the next boot on";

/** What the guard answers (guard/interface.h), by errno. EXDEV is 18, EDOM 33, EILSEQ 84 and ESTALE 116. */
const ANSWERS: ReadonlyMap<number, Row> = new Map([
  [
    ERRNO.EPERM,
    row(
      "SEAL_DENIED",
      "the guard does not take the command: -EPERM",
      "seal the machine first, without --audit, and give the command as root, outside of containers",
    ),
  ],
  [ERRNO.EINVAL, row(REPLACED, "the guard has lost its links, without which it takes no list", NEXT_BOOT)],
  [ERRNO.EOPNOTSUPP, row(REPLACED, "the machine was sealed without a trusted key", "seal it with --trusted-key")],
  [ERRNO.EBUSY, row(REPLACED, "another process is giving the guard a list", "try again when it has ended")],
  [ERRNO.E2BIG, row(REPLACED, "it has more entries or records than the guard has room for", NEXT_BOOT)],
  [33, row(OTHER_RULES, "has other classes, or another list of files, than is in force", SAME_RULES)],
  [18, row("SEAL_LIST_OTHER_KERNEL", "it was built for another kernel", "build a list with the BTF of this kernel")],
  [
    84,
    row("SEAL_LIST_MALFORMED", "its tables are not those that its header has the SHA-256 of", "copy the file again"),
  ],
  [116, row("SEAL_LIST_OLDER", "its generation is not greater than that in force", "build the list again")],
  ...[ERRNO.EBADMSG, ERRNO.ENOKEY, ERRNO.ENOPKG, ERRNO.EKEYREJECTED, ERRNO.EKEYEXPIRED, ERRNO.EKEYREVOKED].map(
    (errno) =>
      [errno, row("SEAL_LIST_UNSIGNED", `the kernel rejects its signature: ${verdictName(-errno)}`, SIGN)] as const,
  ),
]);

/** The error for what the guard answered, a negative errno. */
export function rejectionBy(result: number): CountersignError {
  const { code, message, remedy } =
    ANSWERS.get(-result) ?? row(REPLACED, `the guard answers ${verdictName(result)}`, "report this");
  return error(code, message, remedy);
}

function error(code: ErrorCode, message: string, remedy: string): CountersignError {
  return new CountersignError(code, message, { remedy });
}
