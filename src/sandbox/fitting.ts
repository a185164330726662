import { hash } from "node:crypto";
import { CountersignError } from "../error.js";

/** What is changed in an engine's WebAssembly before it is compiled; scripts/engine.mjs makes it. */
export interface Fitting {
  /** Of the bytes that it was made for, lower-case hex. */
  readonly sha256: string;
  /** Bytes that come somewhere, as hex. */
  readonly texts: readonly string[];
  /** Three numbers for each change, in order: how far it is from where the one before begins, how many bytes go, and which come. */
  readonly splices: readonly number[];
}

/**
 * The engine as the sandbox runs it: it says itself what a policy ran out of, and counts the bytes that one may take. Throws
 * INTERNAL for bytes that the changes were not made for: without them it would hold nobody.
 */
export function fitted(wasm: Buffer, { sha256, texts, splices }: Fitting, place: string): Buffer {
  if (hash("sha256", wasm) !== sha256)
    throw new CountersignError("INTERNAL", "is not the engine that the sandbox was made for", {
      place,
      remedy: "install the packages as package-lock.json has them",
    });
  const come = texts.map((text) => Buffer.from(text, "hex"));
  let size = wasm.length;
  for (let index = 0; index < splices.length; index += 3)
    size += come[splices[index + 2]!]!.length - splices[index + 1]!;
  // copied piece by piece: a list of pieces takes ten times as long to put together
  const made = Buffer.allocUnsafe(size);
  let [at, from, to] = [0, 0, 0];
  for (let index = 0; index < splices.length; index += 3) {
    at += splices[index]!;
    to += wasm.copy(made, to, from, at);
    to += come[splices[index + 2]!]!.copy(made, to);
    from = at + splices[index + 1]!;
  }
  wasm.copy(made, to, from);
  return made;
}
