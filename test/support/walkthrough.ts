/**
 * Runs the code of a document as its reader would, in one shell from top to bottom: a block that names a file after its
 * language is written to it, a `console` block is typed in, and what it prints must be what the document shows. In
 * shown output `…` stands for any text in a line, and a line that is `…` alone for any lines.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Step {
  /** The line of the document, from 1. */
  readonly line: number;
  /** What the step does, in a line. */
  readonly title: string;
  readonly script: string;
  /** Shown output; null where nothing is shown to compare with. */
  readonly shown: readonly string[] | null;
}

export interface Ran extends Step {
  readonly printed: readonly string[];
}

export function stepsOf(document: string | URL): Step[] {
  const steps: Step[] = [];
  const lines = readFileSync(document, "utf8").split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^```(\w+)(?: (\S+))?$/.exec(lines[at] ?? "");
    if (fence === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`${document}:${at + 1}: this block has no end`);
    const body = lines.slice(at + 1, end);
    const [, language, file] = fence;
    if (language === "console") steps.push(...typed(body, at + 2));
    else if (file !== undefined)
      steps.push({ line: at + 1, title: `write ${file}`, script: written(file, body), shown: null });
    at = end;
  }
  return steps;
}

/**
 * Runs all steps in one `sh`, so that a `cd` or a variable holds for what comes after it. `words` start a shell
 * elsewhere, such as in a chroot.
 */
export function walk(
  steps: readonly Step[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  [program, ...words]: readonly [string, ...string[]] = ["sh"],
): Ran[] {
  // the status of a command must survive the mark behind it, for `echo $?`
  const script = steps.map((step) => `${step.script}\n__status=$?; printf '\\0'; (exit $__status)`).join("\n");
  const shell = spawnSync(program, [...words, "-c", `exec 2>&1\n${script}`], { cwd, env, encoding: "utf8" });
  const printed = shell.stdout.split("\0");
  return steps.map((step, index) => ({ ...step, printed: (printed[index] ?? "").replace(/\n$/, "").split("\n") }));
}

/** Shown output as a pattern over printed output, ends of lines apart. */
export function pattern(shown: readonly string[]): RegExp {
  const quoted = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const line = (text: string) => `${text.trimEnd().split("…").map(quoted).join("[^\\n]*")} *\\n`;
  return new RegExp(`^${shown.map((text) => (text.trim() === "…" ? "(?:[^\\n]*\\n)*" : line(text))).join("")}$`);
}

function typed(body: readonly string[], first: number): Step[] {
  const steps: { line: number; title: string; script: string; shown: string[] }[] = [];
  body.forEach((text, index) => {
    const last = steps.at(-1);
    if (text.startsWith("$ ")) steps.push({ line: first + index, title: text, script: text.slice(2), shown: [] });
    else if (last?.shown.length === 0 && last.script.endsWith("\\")) last.script += `\n${text}`;
    else last?.shown.push(text);
  });
  return steps.map((step) => ({ ...step, shown: step.shown.length === 0 ? [""] : step.shown }));
}

const written = (file: string, body: readonly string[]) =>
  `mkdir -p "$(dirname '${file}')" && cat > '${file}' <<'END_OF_FILE'\n${body.join("\n")}\nEND_OF_FILE`;
