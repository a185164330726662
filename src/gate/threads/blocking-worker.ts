import { type MessagePort, workerData } from "node:worker_threads";
import { Impersonator } from "../sys/credentials.js";
import { blockSignals, INTERRUPT, threadId } from "../sys/process.js";
import { deserializeOp, memoryOf, runBlockingOp } from "./blocking-op.js";
import type { FromBlockingWorker, ToBlockingWorker } from "./messages.js";

/**
 * Entry point of a blocking worker: a thread that runs, one at a time, the blocking operations of long calls and of
 * containers whose tasks made the gate wait before. An operation may block it without limit. If the task has exited,
 * {@link Interrupts} can interrupt the system call.
 */
const { port } = workerData as { readonly port: MessagePort };
blockSignals(INTERRUPT);
const impersonator = new Impersonator();
port.on("message", (serialized: ToBlockingWorker) => {
  const op = deserializeOp(serialized);
  const outcome = shared(runBlockingOp(op, impersonator));
  const analysed = op.do === "analyse" ? { analysed: op.index } : {};
  port.postMessage({ is: "brought", outcome, memory: memoryOf(op), ...analysed } satisfies FromBlockingWorker);
});
port.postMessage({ is: "runs", tid: threadId() } satisfies FromBlockingWorker);
port.postMessage({ is: "opened", fds: impersonator.fds } satisfies FromBlockingWorker);
port.postMessage({ is: "ready" } satisfies FromBlockingWorker);

/** Moves bytes to shared memory, because the result is sent to another thread at each turn of the call. */
function shared(outcome: unknown): unknown {
  if (Array.isArray(outcome)) return outcome.map(shared);
  if (!(outcome instanceof Uint8Array)) return outcome;
  const bytes = new Uint8Array(new SharedArrayBuffer(outcome.byteLength));
  bytes.set(outcome);
  return bytes;
}
