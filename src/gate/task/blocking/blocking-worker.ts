import { type MessagePort, workerData } from "node:worker_threads";
import { Impersonator } from "../../../sys/credentials.js";
import { blockSignals, INTERRUPT, threadId } from "../../../sys/process.js";
import { type AgentLink, askAgent } from "./agent-link.js";
import { deserializeOp, memoryOf, runBlockingOp } from "./blocking-op.js";
import { countShared, sharedRoomFor, toShared } from "./shared-bytes.js";
import type { FromBlockingWorker, ToBlockingWorker } from "./worker-messages.js";

/**
 * Entry point of a blocking worker: a thread that runs, one at a time, the blocking operations of long calls and of
 * containers whose tasks made the gate wait before. An operation may block it without limit. If the task has exited,
 * {@link Interrupts} can interrupt the system call.
 */
const { port, agent } = workerData as { readonly port: MessagePort; readonly agent: AgentLink | null };
blockSignals(INTERRUPT);
if (agent !== null) askAgent(agent);
const impersonator = new Impersonator();
port.on("message", (serialized: ToBlockingWorker) => {
  const op = deserializeOp(serialized);
  const outcome = toShared(runBlockingOp(op, impersonator, sharedRoomFor));
  countShared(outcome);
  const analysed = op.do === "analyse" ? { analysed: op.index } : {};
  port.postMessage({ is: "result", outcome, memory: memoryOf(op), ...analysed } satisfies FromBlockingWorker);
});
port.postMessage({ is: "started", tid: threadId() } satisfies FromBlockingWorker);
port.postMessage({ is: "opened", fds: impersonator.fds } satisfies FromBlockingWorker);
port.postMessage({ is: "ready" } satisfies FromBlockingWorker);
