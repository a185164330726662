import type { Command } from "commander";

/** One row a command; its module exports `command()` and is loaded only when it is asked for. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ command(): Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  sign: { summary: "makes signatures of files, or of each BPF program in them", load: () => import("./sign.js") },
  verify: { summary: "checks one signature", load: () => import("./verify.js") },
  inspect: { summary: "shows what BPF programs are and may do", load: () => import("./inspect.js") },
};
