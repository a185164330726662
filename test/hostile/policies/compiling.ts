import type { ErrorCode } from "../../../src/error.js";

/**
 * A policy that is cheap to write and expensive to compile. `code` is null where it fits into the budget and must
 * decide.
 */
export interface CompileBomb {
  readonly name: string;
  /** The policy by file; the first file is the policy itself. */
  readonly files: Readonly<Record<string, string>>;
  readonly code: ErrorCode | null;
}

const numbered = (count: number, text: (index: number) => string, separator = "") =>
  Array.from({ length: count }, (_, index) => text(index)).join(separator);
/** Text in the policy's own file, outside of the hook. */
const bomb = (name: string, text: string, code: ErrorCode | null = "POLICY_TOO_LARGE"): CompileBomb => ({
  name,
  files: { "policy.js": `export const blob_verify = () => 0;\n${text}` },
  code,
});
const inFiles = (name: string, count: number, text: (index: number) => string, code: ErrorCode | null): CompileBomb => {
  const imports = numbered(count, (index) => `import { x${index} } from "./f${index}.js";\n`);
  const files = Array.from({ length: count }, (_, index) => [`f${index}.js`, text(index)] as const);
  return {
    name,
    files: { "policy.js": `${imports}export const blob_verify = () => 0;`, ...Object.fromEntries(files) },
    code,
  };
};
const property = "\\p{L}";

export const compiling: readonly CompileBomb[] = [
  bomb("one class of 4,000 Unicode properties", `const x = () => /[${property.repeat(4000)}]/u;`),
  bomb("2,000 expressions of a Unicode property", `const x = () => [${`/${property}/u,`.repeat(2000)}];`),
  bomb("300 expressions that ignore case", `const x = () => [${`/${property}/iu,`.repeat(300)}];`),
  bomb("a negated class that ignores case", `const x = () => [${"/[^\\P{Lu}]/iu,".repeat(400)}];`),
  bomb("an expression of 64 KiB", `const x = () => /${"a".repeat(65_000)}/;`, null),
  bomb("an expression of 700 groups", `const x = () => /${"(a)".repeat(250)}/;`, null),
  bomb("an expression of 250 named groups", `const x = () => /${numbered(250, (i) => `(?<n${i}>a)`)}/;`, null),
  bomb("counts within counts", `const x = () => /${"(?:".repeat(100)}a${"){9}".repeat(100)}/;`, null),
  bomb(
    "4,000 functions",
    numbered(4000, (i) => `function f${i}() {}\n`),
  ),
  bomb("4,000 variables of one scope", `const x = () => { ${numbered(4000, (i) => `let v${i} = 0;`)} };`),
  bomb(
    "4,000 names that are bound at once",
    `const x = (o) => { const { ${numbered(4000, (i) => `d${i}`, ",")} } = o; };`,
  ),
  bomb("3,000 parameters", `const x = (${numbered(3000, (i) => `p${i}`, ",")}) => 0;`),
  bomb("2,000 variables of closures", `const x = () => { ${numbered(2000, (i) => `let v${i} = 0; (() => v${i});`)} };`),
  bomb("3,000 private fields", `class X { ${numbered(3000, (i) => `#f${i};`)} }`),
  bomb("3,000 names read", `const x = (o) => { const a = o; ${numbered(3000, (i) => `o.n${i};a;`)} };`, null),
  bomb("a bigint of 40,000 digits", `const x = () => ${"9".repeat(40_000)}n;`),
  bomb("an array of 100,000 numbers", `const x = () => [${"1,".repeat(100_000)}];`),
  bomb("1,000 loops", `const x = () => { ${"for (let i = 0; i < 1; i++);\n".repeat(1000)} };`),
  bomb("200 loops", `const x = () => { ${"for (let i = 0; i < 1; i++);\n".repeat(200)} };`, null),
  bomb("a comment of 270 KiB", `/*${"a".repeat(270_000)}*/`),
  bomb("a string of 200 KiB", `const x = () => "${"a".repeat(200_000)}";`, null),
  bomb("a comment of 200 KiB", `/*${"a".repeat(200_000)}*/`, null),
  bomb("1,000 parentheses", `const x = () => ${"(".repeat(1000)}0${")".repeat(1000)};`, "POLICY_SYNTAX"),
  bomb("300 arrays within arrays", `const x = () => ${"[".repeat(300)}${"]".repeat(300)};`, null),
  bomb("300 functions within functions", `const x = () => ${"() => ".repeat(300)}0;`),
  bomb("60 functions within functions", `const x = () => ${"() => ".repeat(60)}0;`, null),
  inFiles(
    "four files of Unicode properties",
    4,
    (i) => `export const x${i} = () => /[${property.repeat(1000)}]/u;`,
    "POLICY_TOO_LARGE",
  ),
  inFiles("two files of 130 KiB", 2, (i) => `export const x${i} = 0; /*${" ".repeat(133_000)}*/`, "POLICY_TOO_LARGE"),
  inFiles("sixty files of 5 KiB", 60, (i) => `export const x${i} = 0; /*${" ".repeat(5000)}*/`, "POLICY_TOO_LARGE"),
  inFiles("sixty files of 1 KiB", 60, (i) => `export const x${i} = 0; /*${" ".repeat(1000)}*/`, null),
];
