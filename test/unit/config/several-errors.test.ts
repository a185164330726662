import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acceptedMutants } from "../../../src/config/accepted-mutants.js";
import { readCases } from "../../../src/config/cases.js";
import { readConfig } from "../../../src/config/config.js";
import { readCurrent } from "../../../src/config/current.js";
import { CountersignError } from "../../../src/error.js";
import { runCommand } from "../../support/command-line.js";
import { rejection } from "../../support/rejection.js";

/** All errors of a file that a person writes are reported at once. */
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-errors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const READERS: Readonly<Record<string, (file: string) => unknown>> = {
  "c.yaml": (file) => readConfig(file),
  "p.test.yaml": readCases,
  "p.mutants.yaml": () => acceptedMutants(at("p.js")),
  "task.yaml": readCurrent,
};

const HEAD = "version: 1\nattachments:\n";

/** Each file with its errors, in the order in which they are reported. */
const FILES: readonly (readonly [what: string, file: string, text: string, places: readonly string[]])[] = [
  ["a schema", "c.yaml", `${HEAD}  []\nmode: adit\ngate: { stall: 1, other: 2 }\n`, ["4:7", "5:16", "5:19"]],
  [
    "names and limits",
    "c.yaml",
    `${HEAD}  - policy: a.js\n    limits: { stack: 1GiB, timeout: 1h }\n  - policy: a.js\n`,
    ["4:22", "4:37", "5:13"],
  ],
  [
    "parts of a configuration",
    "c.yaml",
    `${HEAD}  - { policy: a.js, scope: { labels: "((" } }\n  - { policy: b.js, scope: { uid: 9-1 } }\n` +
      "gate: { keyrings: { 0: none, 1: none } }\nmaps: { m: { writable: { entries: 1, bytes: 1KiB }, writers: [x, y] } }\n",
    ["3:39", "4:35", "5:24", "5:33", "6:63", "6:66"],
  ],
  ["cases", "p.test.yaml", "- { file: a, expect: maybe }\n- { file: a, expects: allow }\n", ["1:22", "2:14", "2:3"]],
  [
    "subjects of cases",
    "p.test.yaml",
    "- { expect: allow }\n- { file: a, blob: { data: x }, expect: allow }\n",
    ["1:3", "2:14"],
  ],
  ["mutants", "p.mutants.yaml", "- { mutant: x, reason: y }\n- { mutant: a -> b, reason: '' }\n", ["1:13", "2:29"]],
  ["a task", "task.yaml", "uid: -1\ngid: x\n", ["1:6", "2:6"]],
];

const placesOf = ({ place, others }: CountersignError) => [place, ...others.map((other) => other.place)];

describe("all errors are reported", () => {
  it.each(FILES)("of %s in %s", (_, file, text, places) => {
    writeFileSync(at(file), text);
    const error = rejection(() => READERS[file]!(at(file))) as CountersignError;
    expect(error).toBeInstanceOf(CountersignError);
    expect(placesOf(error)).toEqual(places.map((place) => `${at(file)}:${place}`));
  });

  it("of every file in a test of this table", () => {
    expect(new Set(FILES.map(([, file]) => file))).toEqual(new Set(Object.keys(READERS)));
  });
});

describe("several errors", () => {
  const write = (keys: number) => {
    const more = Array.from({ length: keys }, (_, number) => `k${number}: 1\n`).join("");
    writeFileSync(at("c.yaml"), `version: 1\nattachments: []\n${more}`);
    return at("c.yaml");
  };
  const check = (file: string, ...words: string[]) => runCommand("check", "--config", file, ...words, at("c.yaml"));

  it("are a line each", async () => {
    const { code, out, err } = await check(write(3));
    expect({ code, out }).toEqual({ code: 2, out: "" });
    const lines = err.trimEnd().split("\n");
    expect(
      lines.map((line) => /^countersign: .*:(\d+):1: unknown key `k\d` \[CONFIG_INVALID\]; /.exec(line)?.[1]),
    ).toEqual([...["3", "4", "5"]]);
  });

  it.each([
    [20, null],
    [21, "1 more error is not shown; correct these first"],
    [33, "13 more errors are not shown; correct these first"],
  ])("are at most 20 lines (%i)", async (keys, last) => {
    const lines = (await check(write(keys))).err.trimEnd().split("\n");
    expect(lines.slice(0, 20).every((line) => line.includes("unknown key"))).toBe(true);
    expect(lines.slice(20)).toEqual(last === null ? [] : [`countersign: ${last}`]);
  });

  it("are `others` and `omitted` in JSON, which one error does not have", async () => {
    const errorOf = async (keys: number) => JSON.parse((await check(write(keys), "--json")).out).error;
    const { others, omitted } = await errorOf(22);
    expect(others).toHaveLength(19);
    expect(others[18]).toEqual({
      code: "CONFIG_INVALID",
      message: "unknown key `k19`",
      place: `${at("c.yaml")}:22:1`,
      remedy: expect.stringContaining("known keys are"),
    });
    expect(omitted).toBe(2);
    expect(await errorOf(2)).not.toHaveProperty("omitted");
    expect(Object.keys(await errorOf(1))).toEqual(["code", "message", "place", "remedy"]);
  });

  it.each([["lint"], ["config", "check"]])("are findings of `%s %s`", async (...words) => {
    const { code, out } = await runCommand(...words.filter((word) => word !== undefined), "--json", write(3));
    expect(code).toBe(1);
    expect(JSON.parse(out).findings.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5]);
  });

  it("are one line with their number where there is room for one, such as in a log", () => {
    const error = rejection(() => readConfig(write(3))) as CountersignError;
    expect(String(error)).toContain("unknown key `k0` (and 2 more) [CONFIG_INVALID]; ");
    expect(placesOf(error.within("outer"))).toEqual([3, 4, 5].map((line) => `outer: ${at("c.yaml")}:${line}:1`));
  });
});
