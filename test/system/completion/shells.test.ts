/** Completions in the real shells: what zsh and fish offer, and what an interactive bash writes on TAB. */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completionEnv, completionFolder, OFFERED } from "../../support/completion.js";

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;

interface Shell {
  /** The file that the shell takes completions from. */
  readonly file: string;
  /** The command that prints what is offered for the last word of what was typed. */
  readonly ask: (typed: string) => readonly string[];
}

const SHELLS: Readonly<Record<string, Shell>> = {
  zsh: {
    file: "_countersign",
    ask: (typed) => ["zsh", "-f", join(import.meta.dirname, "capture.zsh"), "./_countersign", `countersign ${typed}`],
  },
  fish: {
    file: "countersign.fish",
    ask: (typed) => ["fish", "--no-config", "-c", `source countersign.fish; complete -C 'countersign ${typed}'`],
  },
};

/** The exit code, standard error, and what is offered: sorted, without descriptions and the slash of folders. */
function asked(command: readonly string[], folder: string): [status: number | null, stderr: string, words: string[]] {
  const [program = "", ...words] = command;
  const env = completionEnv(folder);
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: folder, env, encoding: "utf8" });
  const lines = stdout.split("\n").map((line) => line.replace(/\t.*$/, "").replace(/\/$/, ""));
  return [status, stderr, [...new Set(lines.filter((line) => line !== ""))].sort()];
}

describe.each(Object.entries(SHELLS))("the completions of %s", (shell, { file, ask }) => {
  let folder: string;
  beforeAll(async () => {
    folder = await completionFolder(shell, file);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("offer the same as those of bash", (context) => {
    if (!has(shell)) return context.skip(`${shell} is not installed`);
    expect(OFFERED.map(([typed]) => [typed, ...asked(ask(typed), folder)])).toEqual(
      OFFERED.map(([typed, offered]) => [typed, 0, "", [...offered].sort()]),
    );
  }, 120_000);
});

describe("an interactive bash", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await completionFolder("bash", "completions");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("writes commands, options, `--option=value` and names with spaces on TAB", () => {
    const input = [
      "source ./completions",
      "countersign() { printf '<%s>' \"$@\"; echo; }",
      "countersign comp\tba\t",
      "countersign che\t--conf\tb\t",
      "countersign check --hook=blob\t--config=e\t",
      "exit",
    ];
    const { stdout } = spawnSync("script", ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
      cwd: folder,
      env: { ...completionEnv(folder), TERM: "dumb" },
      input: `${input.join("\n")}\n`,
      encoding: "utf8",
    });
    const lines = stdout.split(/\r?\n/).filter((line) => line.startsWith("<"));
    expect(lines).toEqual([
      "<completion><bash>",
      "<check><--config><b c.yaml>",
      "<check><--hook=blob_verify><--config=e.yaml>",
    ]);
  });
});
