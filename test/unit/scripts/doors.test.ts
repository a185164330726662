import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { closedDoors } from "../../../scripts/arrows/doors.mjs";
import { readModules } from "../../../scripts/arrows/modules.mjs";

const root = mkdtempSync(join(tmpdir(), "countersign-doors-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A command line of two commands, a gate, and a library of which they use four names. */
const FILES = {
  "cli/commands.ts": 'export const COMMANDS = [() => import("./commands/a.js"), () => import("./commands/b.js")];',
  "cli/commands/a.ts": 'import { both } from "../shared.js";\nimport { one } from "../../lib/one.js";',
  "cli/commands/b.ts": 'import { both } from "../shared.js";\nimport type { two } from "../../lib/deep/two.js";',
  "cli/shared.ts": 'import { four } from "../lib/four.js";\nexport const both = four;',
  "gate/gate.ts": 'import { one } from "../lib/one.js";\nconst { three } = await import("../lib/three.js");',
  "lib/one.ts": "export const one = 1;\nexport const other = 1;",
  "lib/deep/two.ts": "export type two = 2;",
  "lib/three.ts": "export function three() {}",
  "lib/four.ts": "export const four = 4;",
  "lib/hidden.ts": "export const hidden = 5;",
};
const LIB = {
  files: 4,
  names: 4,
  shared: ["one"],
  only: { gate: { because: "a reason", files: ["three"] } },
  cli: { "a, b": ["four"], b: ["deep/two"] },
};

/** What is wrong with the doors `lib` of the files, of which `changed` replaces some. */
function found(changed: Readonly<Record<string, string>>, lib: object = LIB): readonly string[] {
  rmSync(join(root, "src"), { recursive: true, force: true });
  for (const [path, text] of Object.entries({ ...FILES, ...changed })) {
    const file = join(root, "src", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
  }
  return closedDoors(readModules(root, ["src"]), { lib });
}

describe("the doors of a folder", () => {
  it("are the files that its table has, with the figures there", () => {
    expect(found({})).toEqual([]);
  });

  it.each([
    ["a file of another folder that is no door", 'import { hidden } from "../../lib/hidden.js";', "`cli.a`"],
    ["its type", 'import type { hidden } from "../../lib/hidden.js";', "`cli.a`"],
    ["it later", 'export const later = () => import("../../lib/hidden.js");', "`cli.a`"],
    ["it for its effects", 'import "../../lib/hidden.js";', "`cli.a`"],
  ])("reject an import of %s", (_what, statement, row) => {
    expect(found({ "cli/commands/a.ts": `${FILES["cli/commands/a.ts"]}\n${statement}` })).toContainEqual(
      expect.stringMatching(`^src/cli/commands/a.ts:3: .src/lib/hidden.ts. is no door of .lib.; .*${row}`),
    );
  });

  it("reject a door that no other folder uses", () => {
    expect(found({ "gate/gate.ts": FILES["gate/gate.ts"].split("\n")[0]! })).toEqual([
      expect.stringMatching("^src/lib/three.ts: is a door of `lib` that no other top folder uses; take it out of"),
      expect.stringMatching("^other top folders use 3 files of `lib`, not 4; write this smaller figure into"),
      expect.stringMatching("^other top folders use 3 names of `lib`, not 4; write this smaller figure into"),
    ]);
  });

  it("reject one more name", () => {
    const text = 'import { one, other } from "../lib/one.js";';
    expect(found({ "gate/gate.ts": `${text}\n${FILES["gate/gate.ts"].split("\n")[1]}` })).toEqual([
      expect.stringMatching("^other top folders use 5 names of `lib`, not 4; it may not grow past that of"),
    ]);
  });

  it.each([
    ["used by one more folder", { "gate/more.ts": 'import { four } from "../lib/four.js";' }, "cli.a, b", "shared"],
    ["used by fewer folders", { "cli/commands/a.ts": 'import { both } from "../shared.js";' }, "shared", "only.gate"],
    [
      "of another command",
      {
        "cli/shared.ts":
          'import type { two } from "../lib/deep/two.js";\nimport { four } from "../lib/four.js";\nexport const both = four;',
      },
      "cli.b",
      "cli.a, b",
    ],
  ])("reject one in a wrong row: %s", (_what, changed, row, right) => {
    expect(found(changed)).toEqual([
      expect.stringMatching(`is in row \`${row}\`, and its users are those of its row \`${right}\``),
    ]);
  });

  it("reject what one folder uses without a reason", () => {
    expect(found({}, { ...LIB, only: { gate: { because: "", files: ["three"] } } })).toEqual([
      "doors of `lib`: row `only.gate` gives no reason",
    ]);
  });

  it("reject a file that is in two rows", () => {
    expect(found({}, { ...LIB, shared: ["one", "four"] })).toContainEqual(
      "src/lib/four.ts: is twice in the doors of `lib`",
    );
  });
});
