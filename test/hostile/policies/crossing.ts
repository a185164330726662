import { contained, type HostileCase } from "./case.js";

const helper = (name: string, call: string, says = /TypeError|RangeError/): HostileCase => ({
  name,
  policy: `import { hash, map_delete, map_lookup, map_update, note, read, signer_of, statement_of, verify_program, verify_signature } from "countersign";
export function blob_verify(blob) { ${call}; return 0; }`,
  fault: "POLICY_ERROR",
  says,
});

export const crossing: readonly HostileCase[] = [
  helper("bytes that are an array", `hash("sha256", [1, 2, 3])`),
  helper("bytes that look like bytes", `hash("sha256", { length: 4 })`),
  helper("bytes that inherit from bytes", `hash("sha256", Object.create(blob.data))`),
  helper("bytes that copy bytes", `hash("sha256", { ...blob.data })`),
  helper("bytes that are a number", `hash("sha256", 0)`),
  helper("bytes that are null", `hash("sha256", null)`),
  helper("a signature that is undefined", `verify_signature(blob.data, undefined, String("k"), "PKCS7")`),
  helper("a signature that is a string", `verify_signature(blob.data, "x", String("k"), "PKCS7")`),
  helper("a keyring that is an object", `verify_signature(blob.data, null, { toString: () => "platform" }, "PKCS7")`),
  helper("a type that is an object", `verify_signature(blob.data, null, String("k"), { toString: () => "PKCS7" })`),
  helper(
    "a keyring that is not there",
    `verify_signature(blob.data, blob.data, "no" + "where", "PKCS7")`,
    /could not be answered/,
  ),
  helper("the signer by bytes that are text", `signer_of("x", null, String("k"), "PKCS7")`),
  helper("the signer of a signature that is undefined", `signer_of(blob.data, undefined, String("k"), "PKCS7")`),
  helper("the signer by a keyring that is an object", `signer_of(blob.data, null, { toString: () => "k" }, "PKCS7")`),
  helper("the signer by a type that is missing", `signer_of(blob.data, null, String("k"))`),
  helper(
    "the signer by a keyring that is not there",
    `signer_of(blob.data, null, "no" + "where", "PKCS7")`,
    /could not be answered/,
  ),
  helper("a program that is a blob", `verify_program(blob, String("platform"))`),
  helper("a program that looks like one", `verify_program({ statements: [], mismatches: [] }, String("platform"))`),
  helper("a program that inherits from one", `verify_program(Object.create(blob), String("platform"))`),
  helper("a program that is undefined", `verify_program(undefined, String("platform"))`),
  helper("a program that is a number", `statement_of(0, String("platform"))`),
  helper("the signer of a program that is a copy", `signer_of({ ...blob }, String("platform"))`),
  helper("the signer of a blob that is no program", `signer_of(blob, String("platform"))`),
  helper("an algorithm that is not there", `hash("md" + "5", blob.data)`, /could not be answered/),
  helper("a map that is not there", `map_lookup("no" + "where", "x")`, /could not be answered/),
  helper("a key that is a number", `map_lookup("state", 1)`),
  helper("a value that is a function", `map_update("state", "k", () => 1)`),
  helper("a value that refers to itself", `const a = []; a.push(a); map_update("state", "k", a)`),
  helper("a value that is a large integer", `map_update("state", "k", 1n)`),
  helper("reading before the beginning", `read(blob.data, -1, 1)`),
  helper("reading beyond the end", `read(blob.data, 0, 1e9)`),
  helper("reading a fraction", `read(blob.data, 0.5, 1)`),
  helper("reading with an object", `read(blob.data, { valueOf: () => 0 }, 1)`),
  contained("a label with NUL is whole", `escaped = current.container.labels.nul !== "allow\\0deny";`),
  contained("a label with a lone surrogate is whole", `escaped = current.container.labels.lone !== "\\ud800x";`),
  contained(
    "a label of 1 MB is whole",
    `escaped = current.container.labels.long.length !== 1e6 || !current.container.labels.long.endsWith("z");`,
  ),
  contained(
    "a label called __proto__ is a label",
    `escaped = !Object.hasOwn(current.container.labels, "__proto__") || current.container.labels.polluted !== undefined;`,
  ),
  contained("a label called toJSON is a label", `escaped = current.container.labels.toJSON !== "x";`),
  contained("a label called then is a label", `escaped = current.container.labels.then !== "x";`),
  contained("a label called constructor is a label", `escaped = current.container.labels.constructor !== "x";`),
  {
    name: "a note with NUL and a lone surrogate is whole",
    policy: `import { note } from "countersign"; export function blob_verify() { note("a\\0b\\ud800"); return 0; }`,
    fault: null,
    verdict: 0,
    notes: ["a\0b\ud800"],
  },
  {
    name: "a map's value with a key __proto__ is whole",
    policy: `import { map_lookup, map_update } from "countersign";
export function blob_verify() {
  map_update("state", "p", JSON.parse('{"__proto__":{"x":1},"then":"\\\\u0000"}'));
  const found = map_lookup("state", "p");
  return Object.hasOwn(found, "__proto__") && found.x === undefined && found.then === "\\0" ? 0 : -13;
}`,
    fault: null,
    verdict: 0,
  },
];
