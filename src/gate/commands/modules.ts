import { sha256 } from "../../bpf/digest.js";
import { ERRNO } from "../../errno.js";
import type { Answer, Call } from "../call/call.js";
import { sealedFile } from "../sys/file.js";
import { NR } from "../sys/numbers.js";

/** The largest module that is copied, and the longest parameters (strndup_user of kernel/module/main.c takes a page or more). */
const MAX_MODULE = 256 * 2 ** 20;
const MAX_PARAMETERS = 64 * 1024;

/**
 * Decides init_module(2) and finit_module(2) on a copy of the file, which goes to the kernel as a sealed memfd: nobody can
 * change what was judged. The kernel's own autoload comes from no task and is not seen here.
 */
export function loadModule(call: Call): Answer {
  const { notification, task, asker } = call;
  if (!asker.current.capabilities.includes("CAP_SYS_MODULE")) return { result: -ERRNO.EPERM };
  const byFd = notification.call === NR.finit_module;
  const data = byFd ? readFile(call) : readImage(call);
  if (typeof data === "number") return { result: data };
  const parameters = task.readString(call.long(byFd ? 1 : 2), MAX_PARAMETERS);
  if (parameters === null) return { result: -ERRNO.EFAULT };
  if (parameters.byteLength === MAX_PARAMETERS) return { result: -ERRNO.E2BIG };
  if (!call.stillWaits) return "gone";

  const text = Buffer.from(parameters).toString("latin1");
  const digest = sha256(data);
  const subject = { path: "", name: "module", digest, sha256: digest, data, signature: null, purpose: "module" };
  const { verdict } = call.decide("kernel_read_file", { ...subject, parameters: text });
  if (verdict < 0) return { result: verdict };
  const fd = task.own("module", () => sealedFile("module", data));
  if (fd < 0) return { result: fd };
  const flags = byFd ? call.word(2) : 0;
  return { result: call.asTask(NR.finit_module, [fd, Uint8Array.of(...parameters, 0), flags]) };
}

function readFile(call: Call): Uint8Array | number {
  const fd = call.task.fd(call.word(0) | 0);
  if (fd < 0) return fd;
  return call.task.readFile(fd, MAX_MODULE) ?? -ERRNO.EINVAL;
}

function readImage(call: Call): Uint8Array | number {
  const size = call.long(1);
  if (size === 0n || size > BigInt(MAX_MODULE)) return -ERRNO.ENOEXEC;
  return call.task.read(call.long(0), Number(size)) ?? -ERRNO.EFAULT;
}
