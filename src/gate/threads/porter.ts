import { type MessagePort, workerData } from "node:worker_threads";
import { Wardrobe } from "../sys/credentials.js";
import { blockSignals, INTERRUPT, threadId } from "../sys/process.js";
import { memoryOf, perform, unpack } from "./errand.js";
import type { FromPorter, ToPorter } from "./messages.js";

/**
 * An entry of its own: a porter, a thread that runs errands, one at a time, of calls that take long and of tasks that
 * have kept the gate waiting. It may be kept waiting itself, by one of them, for as long as that lasts. An errand whose
 * task is gone can be interrupted: see {@link Interrupts}.
 */
const { port } = workerData as { readonly port: MessagePort };
blockSignals(INTERRUPT);
const wardrobe = new Wardrobe();
port.on("message", (parcel: ToPorter) => {
  const errand = unpack(parcel);
  const outcome = shared(perform(errand, wardrobe));
  const analysed = errand.do === "analyse" ? { analysed: errand.index } : {};
  port.postMessage({ is: "brought", outcome, memory: memoryOf(errand), ...analysed } satisfies FromPorter);
});
port.postMessage({ is: "runs", tid: threadId() } satisfies FromPorter);
port.postMessage({ is: "opened", fds: wardrobe.fds } satisfies FromPorter);
port.postMessage({ is: "ready" } satisfies FromPorter);

/** What was copied goes with its call from turn to turn, and is not copied again each time. */
function shared(outcome: unknown): unknown {
  if (Array.isArray(outcome)) return outcome.map(shared);
  if (!(outcome instanceof Uint8Array)) return outcome;
  const bytes = new Uint8Array(new SharedArrayBuffer(outcome.byteLength));
  bytes.set(outcome);
  return bytes;
}
