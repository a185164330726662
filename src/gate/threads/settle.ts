import { giveBack } from "../sys/allocator.js";

/**
 * Has the calling thread's heap collected, shrunk to what is in use, and what the process has free given back. For a gate that
 * stays: reading a configuration and linking policies take more memory than deciding by them ever will. Takes some 50 ms.
 */
export async function settle(): Promise<void> {
  const { Session } = await import("node:inspector/promises");
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
  giveBack();
}
