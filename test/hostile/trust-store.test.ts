/**
 * A signature store with 10,000 entries, or 100,000 with COUNTERSIGN_COMPLETE=1, makes the same system calls for a
 * lookup as one with ten.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { hash } from "../../src/trust/base/digest.js";
import { SignatureStore, signatureName } from "../../src/trust/store.js";
import { shareOf } from "../support/share.js";

/** Calls of node:fs, which are carried out as ever. */
const calls = vi.hoisted(() => ({ made: [] as string[] }));
vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const counted = Object.entries(fs)
    .filter(([name, call]) => name.endsWith("Sync") && typeof call === "function")
    .map(([name, call]) => [
      name,
      (...given: unknown[]) => {
        calls.made.push(name);
        return (call as (...given: unknown[]) => unknown)(...given);
      },
    ]);
  return { ...fs, ...Object.fromEntries(counted) };
});

const folder = mkdtempSync(join(tmpdir(), "countersign-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

/**
 * Every so many entries have a file of their own; those after it are links to it, which are made and removed faster.
 */
const OWN = 997;

const digestOf = (index: number): string => hash("sha256", Buffer.from(`program ${index}`));

function filled(name: string, entries: number): SignatureStore {
  const directory = join(folder, name);
  mkdirSync(directory);
  let own = "";
  for (let index = 0; index < entries; index++) {
    const file = join(directory, signatureName(digestOf(index)));
    if (index % OWN === 0) own = file;
    if (own === file) writeFileSync(file, `signature ${index}`);
    else linkSync(own, file);
  }
  return SignatureStore.open([directory]);
}

/** The names of the calls of node:fs that a lookup makes. */
function callsOf(store: SignatureStore, digest: string): readonly string[] {
  calls.made = [];
  store.find(digest);
  return calls.made;
}

const ENTRIES = shareOf(100_000);

it(`finds each of ${ENTRIES} signatures, and finds them with the same calls as one of ten`, {
  tags: ["deep"],
  timeout: 120_000,
}, () => {
  const entries = ENTRIES;
  const [small, large] = [filled("small", 10), filled("large", entries)];
  for (let index = 0; index < entries; index += OWN)
    expect(Buffer.from(large.find(digestOf(index)) ?? "").toString()).toBe(`signature ${index}`);
  expect(large.find(digestOf(entries))).toBeNull();
  for (let turn = 0; turn < 200; turn++) {
    const hit = callsOf(large, digestOf((turn * 7919) % entries));
    expect(hit).toEqual(callsOf(small, digestOf(turn % 10)));
    expect(hit).toEqual(["statSync", "openSync", "fstatSync", "readSync", "closeSync"]);
    const miss = callsOf(large, digestOf(entries + turn));
    expect(miss).toEqual(callsOf(small, digestOf(entries + turn)));
    expect(miss).toEqual(["statSync", "statSync"]);
  }
});
