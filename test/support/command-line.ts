import { vi } from "vitest";
import { main } from "../../src/cli/main.js";

/** The exit code of a command line that ran in this process, and what it wrote. */
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export function runCommand(...words: readonly string[]): Promise<Ran> {
  return captured(() => main(["node", "countersign", ...words]));
}

/** Runs what sets the exit code or returns it, and catches what it writes. */
export async function captured(run: () => Promise<number>): Promise<Ran> {
  const written = { out: "", err: "" };
  const catching = (stream: NodeJS.WriteStream, name: keyof typeof written) =>
    vi.spyOn(stream, "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  const spies = [catching(process.stdout, "out"), catching(process.stderr, "err")];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    return { code: await run(), ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
