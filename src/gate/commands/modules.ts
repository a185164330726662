import { sha256 } from "../../bpf/insn/digest.js";
import { ERRNO } from "../../errno.js";
import type { FileSubject } from "../../hooks/subject.js";
import { sealedFile } from "../../sys/file.js";
import { NR } from "../../sys/numbers.js";
import type { Answer } from "../call/answer.js";
import { callAsTask } from "../call/as-task.js";
import type { Call } from "../call/call.js";
import { checked, deny, denyTooLarge, failWith } from "../call/failure.js";
import type { FilePath } from "../task/blocking/file-path.js";
import { moduleName } from "./module-name.js";

/** Maximum size in bytes of a module that the gate copies, and of its parameters. */
const MAX_MODULE = 256 * 2 ** 20;
const MAX_PARAMETERS = 64 * 1024;

/**
 * Decides on a copy of the module of init_module(2) or finit_module(2), and passes the copy to the kernel as a sealed
 * memfd, so that nothing can change it after the decision. Modules that the kernel requests itself (request_module) do
 * not come from a system call of the task, so the gate does not see them.
 *
 * On a sealed machine the guard may allow a module because this process, the agent, makes the call. So the agent makes
 * it only if a policy answered: on what the configuration's default allows, the guard decides as for any other task.
 */
export function loadModule(call: Call): Answer {
  const { notification, task, caller } = call;
  if (!caller.current.capabilities.includes("CAP_SYS_MODULE")) failWith(ERRNO.EPERM);
  // the call runs the module's init function, which can take any time
  task.admit();
  call.isAbout("kernel_read_file", { name: NAME });
  const byFd = notification.call === NR.finit_module;
  const { data, at } = byFd ? readFile(call) : { data: readImage(call), at: FROM_MEMORY };
  const parameters = task.readString(call.long(byFd ? 1 : 2), MAX_PARAMETERS) ?? failWith(ERRNO.EFAULT);
  if (parameters.byteLength === MAX_PARAMETERS) denyTooLarge("a text of parameters", MAX_PARAMETERS);
  call.requireCaller();
  const isCompressed = byFd && (call.word(2) & MODULE_INIT_COMPRESSED_FILE) !== 0;
  const name = isCompressed ? null : moduleName(data);
  const { answered } = call.decide("kernel_read_file", moduleSubject(data, parameters, name, at));
  // the kernel then loads the task's own file, which LoadPin, IMA and the guard of a sealed machine can check
  if (call.isDryRun || (call.settings.tickets && !answered)) return "continue";
  const fd = checked(task.own("module", () => sealedFile("module", data)));
  const flags = byFd ? call.word(2) : 0;
  const result = callAsTask(call, NR.finit_module, [fd, Uint8Array.of(...parameters, 0), flags]);
  if (result === -ERRNO.EPERM && call.settings.tickets) deny("ticket", DENIED_BY_GUARD);
  return { result };
}

/** The kernel has no other reason for EPERM, since the task has the capability. */
const DENIED_BY_GUARD =
  "the guard denied the module: it is not listed, the list has no `by-ticket`, or the kernel knows no signer of it; " +
  "or kernel.modules_disabled is set. `countersign seal log` has the guard's rule";

/** The name of a module in the log where no other is known. */
const NAME = "module";
/** Of the flags of finit_module(2), in linux/module.h. */
const MODULE_INIT_COMPRESSED_FILE = 4;
const FROM_MEMORY: FilePath = { path: null };

/** Returns the subject of a module. It lacks the fact `path` if `at` is null: the path is unknown then. */
export function moduleSubject(
  data: Uint8Array,
  parameters: Uint8Array,
  name: string | null,
  at: FilePath | null,
): FileSubject {
  const digest = sha256(data);
  return {
    ...at,
    ...{ name, digest, sha256: digest, data, signature: null, purpose: "module" },
    parameters: Buffer.from(parameters).toString("latin1"),
  };
}

function readFile(call: Call): { readonly data: Uint8Array; readonly at: FilePath | null } {
  const fd = checked(call.task.fd(call.word(0) | 0));
  const reason = `its file cannot be read, or is longer than ${MAX_MODULE} bytes`;
  const data = call.task.readFile(fd, MAX_MODULE) ?? deny("unreadable", reason);
  return { data, at: call.task.findPath(fd) };
}

function readImage(call: Call): Uint8Array {
  const size = call.long(1);
  if (size === 0n) failWith(ERRNO.ENOEXEC);
  if (size > BigInt(MAX_MODULE)) denyTooLarge(`a module of ${size} bytes`, MAX_MODULE);
  return call.task.read(call.long(0), Number(size)) ?? failWith(ERRNO.EFAULT);
}
