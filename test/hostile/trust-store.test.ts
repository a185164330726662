/** A signature store with 100,000 entries answers as fast as one with ten. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { hash } from "../../src/trust/digest.js";
import { SignatureStore, signatureName } from "../../src/trust/store.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digestOf = (index: number): string => hash("sha256", Buffer.from(`program ${index}`));

function filled(name: string, entries: number): SignatureStore {
  const directory = join(folder, name);
  mkdirSync(directory);
  for (let index = 0; index < entries; index++)
    writeFileSync(join(directory, signatureName(digestOf(index))), `signature ${index}`);
  return SignatureStore.open([directory]);
}

/** Microseconds of one lookup. */
function timed(store: SignatureStore, digest: string): number {
  const started = performance.now();
  store.find(digest);
  return (performance.now() - started) * 1000;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;

it("finds each of 100,000 signatures, and finds them as fast as one of ten", { timeout: 120_000 }, () => {
  const entries = 100_000;
  const [small, large] = [filled("small", 10), filled("large", entries)];
  for (let index = 0; index < entries; index += 997)
    expect(Buffer.from(large.find(digestOf(index)) ?? "").toString()).toBe(`signature ${index}`);
  expect(large.find(digestOf(entries))).toBeNull();
  const times: Record<"hit" | "miss", [number[], number[]]> = { hit: [[], []], miss: [[], []] };
  for (let turn = 0; turn < 2_000; turn++) {
    times.hit[0].push(timed(small, digestOf(turn % 10)));
    times.hit[1].push(timed(large, digestOf((turn * 7919) % entries)));
    times.miss[0].push(timed(small, digestOf(entries + turn)));
    times.miss[1].push(timed(large, digestOf(entries + turn)));
  }
  // one lists nothing, so that only the file system's own index grows
  for (const [few, many] of Object.values(times)) expect(median(many) / median(few)).toBeLessThan(3);
});
