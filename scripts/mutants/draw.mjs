import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomOf } from "../sample/draw.mjs";

/** What is looked for in a line of code, and what takes its place. */
const CHANGES = [
  [/ === /, " !== "],
  [/ !== /, " === "],
  [/ < /, " <= "],
  [/ > /, " >= "],
  [/ <= /, " < "],
  [/ >= /, " > "],
  [/ && /, " || "],
  [/ \|\| /, " && "],
  [/ \?\? /, " && "],
  [/ \+ 1\b/, " - 1"],
  [/ - 1\b/, " + 1"],
  [/\btrue\b/, "false"],
  [/\bfalse\b/, "true"],
  [/\breturn null;/, "return undefined as never;"],
  [/\bif \((?!\()/, "if (!"],
  [/\.every\(/, ".some("],
  [/\.some\(/, ".every("],
  [/Math\.max\(/, "Math.min("],
  [/Math\.min\(/, "Math.max("],
];

/**
 * Mutants of the files below `src`, drawn in turn from its top folders. What is generated, or only a comment, a type or
 * an import, is left alone. `at` is where in the text of the file the change begins.
 * @param {string} src
 * @param {number} amount
 * @param {number} seed
 */
export function drawMutants(src, amount, seed) {
  const random = randomOf(seed.toString(16));
  const next = (below) => Math.floor(random() * below);
  const names = readdirSync(src, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".ts") && !name.includes(".gen.") && name.includes("/")).sort();
  const folders = [...new Set(files.map((name) => name.split("/")[0]))];
  const chosen = new Map();
  for (let turn = 0; chosen.size < amount; turn += 1) {
    const own = files.filter((name) => name.startsWith(`${folders[turn % folders.length]}/`));
    const file = own[next(own.length)];
    const lines = readFileSync(join(src, file), "utf8").split("\n");
    const line = next(lines.length);
    const code = lines[line];
    if (/^\s*(?:\*|\/[/*]|import |export type |type |interface |readonly \w+[?]?:)/.test(code)) continue;
    const fitting = CHANGES.filter(([pattern]) => pattern.test(code));
    if (fitting.length === 0) continue;
    const [pattern, instead] = fitting[next(fitting.length)];
    const start = lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, 0);
    chosen.set(`${file}:${line + 1}`, {
      file,
      line: line + 1,
      before: code.trim(),
      code: code.replace(pattern, instead),
      at: start + pattern.exec(code).index,
    });
  }
  return [...chosen.values()];
}
