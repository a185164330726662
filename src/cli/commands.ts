import type { Command } from "commander";

/** One row a command; its module exports `command()` and is loaded only when it is asked for. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ command(): Command }>;
}

export const COMMANDS: Readonly<Record<string, Entry>> = {};
