import { vi } from "vitest";
import { main } from "../../src/cli/main.js";

/** Runs a command line in this process: its exit code and what it wrote. */
export async function runCommand(...words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
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
    return { code: await main(["node", "countersign", ...words]), ...written };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}
