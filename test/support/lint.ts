import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { type Finding, type LintOptions, lint } from "../../src/workbench/lint.js";

/** The place in a text where a finding is expected. */
export const MARK = "§";

/** A folder with files of texts, which tests lint; `close` removes it. */
export class LintFolder {
  readonly path = mkdtempSync(join(tmpdir(), "countersign-lint-"));

  /** Writes files by name, without marks. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, name)), { recursive: true });
      writeFileSync(join(this.path, name), text.replace(MARK, ""));
    }
  }

  /** The findings about one of the files; paths in them are relative to the folder. */
  async lint(name: string, options: LintOptions = {}): Promise<readonly Finding[]> {
    const { findings, unreadable } = await lint([join(this.path, name)], options);
    if (unreadable[0] !== undefined) throw unreadable[0];
    return findings.map((finding) => ({ ...finding, file: this.#own(finding.file) }));
  }

  close(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  #own(file: string | null): string | null {
    return file === null ? null : relative(this.path, join(process.cwd(), file));
  }
}

/** `name:line:column` of the mark in one of the files. */
export function markedPlace(files: Readonly<Record<string, string>>): string | null {
  for (const [name, text] of Object.entries(files)) {
    const before = text.split(MARK);
    if (before.length < 2) continue;
    const lines = before[0]!.split("\n");
    return `${name}:${lines.length}:${lines.at(-1)!.length + 1}`;
  }
  return null;
}
