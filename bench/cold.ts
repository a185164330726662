import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Row } from "./row.js";

export const title = "Commands, from nothing to their end";

/** Whole processes: what a person waits for, or a build that checks one object at a time. */
export function rows(): Row[] {
  // rows run from bench/node_modules/.rows
  const command = fileURLToPath(new URL("../../../bin/countersign.js", import.meta.url));
  const folder = join(mkdtempSync(join(tmpdir(), "countersign-bench-")), "demo");
  const node = (...words: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    if (status !== 0) throw new Error(`node ${words.join(" ")}: ${stderr}`);
  };
  node(command, "init", folder);
  const check = [command, "check", "--config", join(folder, "countersign.yaml"), join(folder, "program.o")];
  return [
    { name: "node -e 0", run: () => node("-e", "0") },
    {
      name: "countersign check program.o",
      note: "one signed object, configuration, keyring, policy and log",
      run: () => node(...check),
      asked: [{ of: "node -e 0", atMost: 3 }],
    },
  ];
}
