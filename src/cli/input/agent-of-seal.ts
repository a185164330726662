import { existsSync } from "node:fs";

/** Where the agent of a sealed machine listens, unless `seal initramfs --socket` named another path. */
export const AGENT_SOCKET = "/run/countersign/agent.sock";

/**
 * The socket of the agent that this machine was sealed with; null if there is none. Only root can ask: the guard shows
 * its status to nobody else, and the agent takes no connection of others.
 */
export async function agentOfSeal(socket: string): Promise<string | null> {
  if (process.geteuid?.() !== 0 || !existsSync(socket)) return null;
  const { readStatus } = await import("../../seal/status.js");
  return readStatus()?.agent ? socket : null;
}
