import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../support/workplace.js";

/** The oldest that is supported, and the last of each later major version that npm has and node runs as a script. */
const VERSIONS = ["5.0.4", "5.9.3", "6.0.3"] as const;
const CONFIG = "version: 1\nattachments: [{ policy: policy.js }]\ndefault: { bpf_prog_load: deny }\n";
const POLICY = `import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => (prog.name.lenght > 3 ? 0 : verify_program(prog, 5));
`;

describe("lint --types", () => {
  it.for(VERSIONS)("finds the mistakes of a policy with TypeScript %s", (version, { skip }) => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-typescript-"));
    try {
      for (const [name, text] of Object.entries({
        "package.json": "{}",
        "countersign.yaml": CONFIG,
        "policy.js": POLICY,
      }))
        writeFileSync(join(folder, name), text);
      const words = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"];
      spawnSync("npm", [...words, `typescript@${version}`], { cwd: folder });
      if (!existsSync(join(folder, "node_modules/typescript"))) skip("needs packages of npm");
      const linted = spawnSync(
        process.execPath,
        [own("bin/countersign.js"), "lint", "--types", "--json", "countersign.yaml"],
        {
          cwd: folder,
          encoding: "utf8",
        },
      );
      const found = (JSON.parse(linted.stdout) as { findings: { code: string; line: number; column: number }[] })
        .findings;
      const types = found.filter(({ code }) => code.startsWith("TS"));
      expect(types.map(({ code, line, column }) => [code, line, column])).toEqual([
        ["TS2551", 2, 51],
        ["TS2345", 2, 89],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
