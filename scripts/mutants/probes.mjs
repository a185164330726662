import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parse } from "acorn";
import { full } from "acorn-walk";

const { transformSync } = createRequire(import.meta.url)("@swc/wasm-typescript");

/** Code that a sandbox runs, and the module that has it as text. */
const GUESTS = [
  ["sandbox/guest/", "sandbox/guest.gen.ts"],
  ["prove/guest/", "prove/explorer/explorer.gen.ts"],
];

/**
 * What is inserted into the files of `src` so that they say which mutants are reached: for each file, `at` and `text`.
 * A mutant is reached if the innermost block, or function of one expression, that has it is entered; if it is in none,
 * or in code of a sandbox, if its module is evaluated.
 * @param {string} src
 * @param {{ file: string, at: number }[]} mutants
 */
export function probesOf(src, mutants) {
  const probes = {};
  const add = (file, at, text) => {
    probes[file] = [...(probes[file] ?? []), { at, text }];
  };
  for (const [index, { file, at }] of mutants.entries()) {
    const reached = `globalThis.mutantsReached?.add(${index})`;
    const guest = GUESTS.find(([folder]) => file.startsWith(folder));
    const place = guest === undefined ? innermost(readFileSync(join(src, file), "utf8"), at) : null;
    if (place === null) add(guest?.[1] ?? file, 0, `${reached}; `);
    else if (place.type === "BlockStatement") add(file, place.start + 1, ` ${reached}; `);
    else {
      add(file, place.start, `(${reached}, `);
      add(file, place.end, ")");
    }
  }
  return probes;
}

/** Modifiers of properties, and of parameters that are properties: those are not only types. */
const MODIFIERS = /\b(?:public|private|protected|readonly|override) (?=\w)/g;
const blank = (words) => " ".repeat(words.length);

/** The block or function body around a place of a module in TypeScript; null if there is none. */
function innermost(text, at) {
  // takes types away, and leaves everything else where it is
  const { code } = transformSync(text.replace(MODIFIERS, blank), { mode: "strip-only" });
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "module" });
  const bodies = [];
  const parameters = [];
  const within = ({ start, end }) => start <= at && at < end;
  full(tree, (node) => {
    if (node.type === "BlockStatement" && within(node)) bodies.push(node);
    if (node.type === "ArrowFunctionExpression" && node.body.type !== "BlockStatement" && within(node.body))
      bodies.push(node.body);
    if (Array.isArray(node.params) && node.params.some(within)) parameters.push(node);
  });
  const smallest = (nodes) => nodes.sort((one, other) => one.end - one.start - (other.end - other.start))[0] ?? null;
  const body = smallest(bodies);
  const of = smallest(parameters);
  // a default value belongs to a call, and not to the block in which the function is made
  return of !== null && (body === null || body.start < of.start) ? null : body;
}

/** The text of a module with its probes. */
export function withProbes(text, probes) {
  let result = text;
  // equal places keep their order
  for (const { at, text: probe } of probes.toSorted((one, other) => other.at - one.at))
    result = result.slice(0, at) + probe + result.slice(at);
  return result;
}
