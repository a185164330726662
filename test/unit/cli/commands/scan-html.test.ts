import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { archiveOf, examinedAnswers, savedAnswers } from "../../../support/scans.js";

describe("countersign scan --html", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-page-"));
  const [archive, page] = [join(folder, "scan.tar"), join(folder, "scan.html")];
  beforeAll(async () => {
    // ids are tried from 0 on in the first round
    const tried = (round: number) =>
      ["program", "map", "link"].map((kind) => [`@bpf/${kind}/tried`, Buffer.alloc(round === 1 ? 4 : 0)] as const);
    const again = [1, 2, 3, 4].flatMap((round) =>
      [...savedAnswers(), ...tried(round)].map(([name, raw]) => [`@round/${round}/${name}`, raw] as const),
    );
    writeFileSync(archive, await archiveOf(new Map([...examinedAnswers(), ...again])));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function written(...words: readonly string[]) {
    rmSync(page, { force: true });
    const { code, out, err } = await runCommand("scan", "--from", archive, "--html", page, ...words);
    expect([out, err]).toEqual(["", expect.stringMatching(/^(?:countersign: .* \[SCAN_INCOMPLETE\].*\n)*$/)]);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<link|src=|https?:/);
    return { code, html };
  }

  it("writes one page with the tables, and each object in full behind its name", async () => {
    const { code, html } = await written();
    expect(code).toBe(2); // the archive lacks most of what a scan compares
    expect(html).toMatch(/<p class="dim">booted 2026-01-01 00:00:00 \(UTC\), boot id 6f1d4f5e-/);
    expect(html).toMatch(/<h2>Not read<\/h2>\n<ul><li class="audit">view of /);
    expect(html).toContain("<td>37</td><td>limit: limit (digest)</td><td>nothing</td>");
    const [first, ...others] = html.split("<details><summary>").slice(1);
    expect(first).toMatch(
      /^program 37 limit<\/summary><pre> {2}type: {9}sched_cls, attach type cgroup_inet_ingress\n {2}tag: {10}[0-9a-f]{16}\n/,
    );
    expect(first).toContain("file /usr/bin/limit: limit, object at byte 64\n");
    expect(first).not.toContain("instructions:");
    expect(others.map((text) => text.split("<")[0])).toEqual(["map 5 ", "link 9"]);
  });

  it("writes objects that are named, with their instructions", async () => {
    const { html } = await written("program:37", "link:9");
    expect(html).toContain("<h2>program 37 limit</h2>");
    expect(html).toContain("<h2>link 9</h2>");
    expect(html).toMatch(/ {2}instructions:\n {2}limit:\n {7}0: r0 = 0x0\n {7}1: exit<\/pre>/);
  });

  it("writes what has changed since an archive", async () => {
    const { html } = await written("--compare", archive);
    expect(html).toContain("<h2>Changes</h2>\n<p>0 new, 0 moved, 0 gone</p>");
  });

  it("excludes other forms of output", async () => {
    const json = await runCommand("scan", "--from", archive, "--html", page, "--json");
    expect([json.code, json.err]).toEqual([2, expect.stringContaining("cannot be used with option `--html <file>`")]);
    const save = await runCommand("scan", "--save", "-", "--html", page);
    expect([save.code, save.err]).toEqual([2, expect.stringContaining("[USAGE]")]);
  });
});
