import { mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { linksIn } from "../../../../src/loaded/references/folder-links.js";

const folder = mkdtempSync(join(tmpdir(), "folder-links-"));
afterAll(() => rmSync(folder, { recursive: true }));

function textsIn(path: string): readonly string[] {
  const links = linksIn(path);
  if (typeof links === "number") throw new Error(`errno ${-links}`);
  return Buffer.from(links).toString("utf8").split("\0");
}

it("reads names and targets of links, and nothing else in the folder", () => {
  const longest = "x".repeat(4095);
  const links = new Map([...Array(2000).keys()].map((number) => [`link-${number}`, `/a/target/${number}`.repeat(6)]));
  links.set("ä", "/ö").set("long", longest).set("other", longest);
  for (const [name, target] of links) symlinkSync(target, join(folder, name));
  symlinkSync("/hidden", join(folder, ".dot"));
  writeFileSync(join(folder, "file"), "");
  const texts = textsIn(folder);
  const found = new Map<string, string>();
  for (let at = 0; at + 1 < texts.length; at += 2) found.set(texts[at]!, texts[at + 1]!);
  expect(found).toEqual(links);
  expect(texts.at(-1)).toBe("");
});

it("reads the descriptors of a process as node:fs does", () => {
  const texts = textsIn("/proc/self/fd");
  expect(texts.length).toBeGreaterThan(6);
  expect(texts[1]).toBe(readlinkSync(`/proc/self/fd/${texts[0]}`));
  // one descriptor each is that of the folder
  expect((texts.length - 1) / 2).toBe(readdirSync("/proc/self/fd").length);
});

it("returns the errno of a folder that cannot be read", () => {
  expect(linksIn(join(folder, "none"))).toBe(-ERRNO.ENOENT);
  expect(linksIn(join(folder, "file"))).toBe(-ERRNO.ENOTDIR);
});
