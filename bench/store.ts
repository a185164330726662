import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hash } from "../src/trust/base/digest.js";
import { SignatureStore, signatureName } from "../src/trust/store.js";
import type { Row } from "./row.js";

export const title = "The signature store";

const MANY = 100_000;
const SIGNATURE = Buffer.alloc(900, "signature");

/**
 * Lookups by name in folders of ten and of a hundred thousand files; the same ten digests in both, so that caches are
 * alike.
 */
export function rows(): Row[] {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const digests = Array.from({ length: MANY }, (_, index) => hash("sha256", Buffer.from(`program ${index}`)));
  const filled = (name: string, entries: number): SignatureStore => {
    const directory = join(folder, name);
    mkdirSync(directory);
    for (const digest of digests.slice(0, entries)) writeFileSync(join(directory, signatureName(digest)), SIGNATURE);
    return SignatureStore.open([directory]);
  };
  const [ten, many] = [filled("ten", 10), filled("many", MANY)];
  const absent = Array.from({ length: 10 }, (_, index) => hash("sha256", Buffer.from(`absent ${index}`)));
  let turn = 0;
  const next = (list: readonly string[]): string => list[turn++ % 10] as string;
  return [
    { name: "readFileSync by name", run: () => readFileSync(join(folder, "ten", signatureName(next(digests)))) },
    { name: "find in a store of 10", run: () => ten.find(next(digests)) },
    {
      name: `find in a store of ${MANY.toLocaleString("en")}`,
      run: () => many.find(next(digests)),
      asked: [{ of: "find in a store of 10", atMost: 1.2 }],
    },
    { name: "find nothing in a store of 10", run: () => ten.find(next(absent)) },
    {
      name: `find nothing in a store of ${MANY.toLocaleString("en")}`,
      run: () => many.find(next(absent)),
      asked: [{ of: "find nothing in a store of 10", atMost: 1.2 }],
    },
  ];
}
