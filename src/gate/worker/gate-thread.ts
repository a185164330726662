import { isMainThread, workerData } from "node:worker_threads";
import type { ThreadData } from "../messages/messages.js";
import type { ShadowThreadData } from "../messages/shadow-messages.js";
import { begin } from "./decision-loop.js";
import { beginShadow } from "./shadow-thread.js";

/** The entry of the threads of a gate that decide: the decision threads, and that of the shadow. */
function start(data: ThreadData | ShadowThreadData): void {
  if ("isShadow" in data) void beginShadow(data);
  else void begin(data);
}

// the build imports this file in its main thread, for its exports
if (!isMainThread) start(workerData as ThreadData | ShadowThreadData);

export { precompile } from "./precompile.js";
