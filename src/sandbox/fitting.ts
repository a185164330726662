import { createHash } from "node:crypto";
import { CountersignError } from "../error.js";

/** What is changed in an engine's WebAssembly before it is compiled; scripts/engine.mjs makes it. */
export interface Fitting {
  /** Of the bytes that it was made for, lower-case hex. */
  readonly sha256: string;
  /** Each with its offset, how many bytes go, and the bytes that come, as hex; in order, none within another. */
  readonly splices: readonly (readonly [at: number, gone: number, come: string])[];
}

/**
 * The engine as the sandbox runs it: it says itself what a policy ran out of, and counts the bytes that one may take. Throws
 * INTERNAL for bytes that the changes were not made for: without them it would hold nobody.
 */
export function fitted(wasm: Buffer, { sha256, splices }: Fitting, place: string): Buffer {
  if (createHash("sha256").update(wasm).digest("hex") !== sha256)
    throw new CountersignError("INTERNAL", "is not the engine that the sandbox was made for", {
      place,
      remedy: "install the packages as package-lock.json has them",
    });
  const parts: Buffer[] = [];
  let from = 0;
  for (const [at, gone, come] of splices) {
    parts.push(wasm.subarray(from, at), Buffer.from(come, "hex"));
    from = at + gone;
  }
  return Buffer.concat([...parts, wasm.subarray(from)]);
}
