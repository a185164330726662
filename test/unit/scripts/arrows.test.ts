import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const project = fileURLToPath(new URL("../../..", import.meta.url));

/** In parts: a file that names a module in a text counts as a user of its exports, and so does this test. */
const LEVEL = ["log", "level.ts"].join("/");

/** Each a line that is put at the end of a file of src/, and what scripts/arrows.mjs must say about it. */
const PLANTED: readonly (readonly [what: string, file: string, text: string, said: RegExp])[] = [
  [
    "an import that the table of folders does not have",
    LEVEL,
    'import "../sys/bpf.js";',
    /^src\/log\/level\.ts:\d+: `log` may not import `sys\/bpf\.ts`$/,
  ],
  [
    "a value of a folder of which only types may be imported",
    "gate/call/call.ts",
    'import "../../policy/reply.js";',
    /^src\/gate\/call\/call\.ts:\d+: `gate` may not import `policy\/reply\.ts`$/,
  ],
  [
    "a package that another folder keeps",
    LEVEL,
    'import "koffi";',
    /^src\/log\/level\.ts:\d+: only src\/sys may import `koffi`$/,
  ],
  [
    "an export that nobody imports",
    LEVEL,
    "export const PLANTED = 1;",
    /^src\/log\/level\.ts:\d+: nobody imports `PLANTED`; delete it$/,
  ],
  [
    "an export that only its own file uses",
    LEVEL,
    "export const PLANTED_FOR_ITSELF = 1;\nconsole.log(PLANTED_FOR_ITSELF);",
    /^src\/log\/level\.ts:\d+: nobody imports `PLANTED_FOR_ITSELF`; do not export it$/,
  ],
  [
    "a type that nobody uses",
    LEVEL,
    "export type Planted = string;",
    /^src\/log\/level\.ts:\d+: nobody imports `Planted`; delete it$/,
  ],
  [
    "a re-export that nobody imports",
    LEVEL,
    'export { uuidV7 as planted } from "./uuid-v7.js";',
    /^src\/log\/level\.ts:\d+: nobody imports `planted`; do not export it again$/,
  ],
  [
    "a file that only re-exports",
    "log/planted.ts",
    '/** Only names. */\nexport {\n  readLog,\n} from "./read-log.js";',
    /^src\/log\/planted\.ts: only re-exports; import from the files that it names$/,
  ],
  [
    "a name that two files export to other folders",
    "gate/call/call.ts",
    'import type { verifyPlanted, Keyring } from "../../log/planted-name.js";',
    /^`Keyring` crosses top folders from .*src\/log\/planted-name\.ts.*: import it from one file, or rename one of them$/,
  ],
  [
    "an import past the doors of a folder",
    "cli/commands/log.ts",
    'import "../../policy/linker/meter.js";',
    /^src\/cli\/commands\/log\.ts:\d+: `src\/policy\/linker\/meter\.ts` is no door of `policy`; .*`cli\.log`/,
  ],
  [
    "a door that more folders use than its row says",
    "workbench/report.ts",
    'import "../engine/files/load-questions.js";',
    /^src\/engine\/files\/load-questions\.ts: is in row `cli\.bench`, and its users are those of its row `shared`/,
  ],
  [
    "more files and names than the table of doors allows",
    "cli/commands/log.ts",
    'import { readKallsyms } from "../../bpf/core/kallsyms.js";',
    /^other top folders use \d+ files of `bpf`, not \d+; it may not grow past that of scripts\/arrows\/door-table\.mjs$/,
  ],
  ["", "log/planted-name.ts", "export type Keyring = string;\nexport type verifyPlanted = string;", /^/],
];

describe("scripts/arrows.mjs", () => {
  let lines: readonly string[] = [];
  const root = mkdtempSync(join(tmpdir(), "countersign-arrows-"));
  beforeAll(() => {
    cpSync(join(project, "src"), join(root, "src"), { recursive: true });
    for (const folder of ["test", "scripts", "bench", "bin"]) symlinkSync(join(project, folder), join(root, folder));
    for (const [, file, text] of PLANTED) appendFileSync(join(root, "src", file), `\n${text}\n`);
    const { status, stderr } = spawnSync(process.execPath, [join(project, "scripts/arrows.mjs"), "--root", root], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    lines = stderr.trim().split("\n");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(PLANTED.filter(([what]) => what !== ""))("rejects %s", (_what, _file, _text, said) => {
    expect(lines).toContainEqual(expect.stringMatching(said));
  });
});
