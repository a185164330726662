import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../examples");

/** The bytes of one of the example objects; a copy that a test may change. */
export function example(name: string): Buffer<ArrayBuffer> {
  return Buffer.from(readFileSync(join(folder, `${name}.o`)));
}
