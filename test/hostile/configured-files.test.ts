import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { writeWhole } from "../../src/cli/files/write.js";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/decision/engine.js";
import type { CountersignError } from "../../src/error.js";
import { RotatingFile } from "../../src/log/rotating.js";
import { Workplace } from "../support/workplace.js";

/** What can stand under a name instead of a file, or leads away from it. */
const PUT: Readonly<Record<string, (path: string) => void>> = {
  "a pipe": (path) => expect(spawnSync("mkfifo", [path]).status).toBe(0),
  "a folder": (path) => mkdirSync(path),
  "a device": (path) => symlinkSync("/dev/zero", path),
  "a link to itself": (path) => symlinkSync(path, path),
  "a link to nothing": (path) => symlinkSync(`${path}.not`, path),
};
const LARGE = "a".repeat(1_000_000);

async function refusal(act: () => unknown): Promise<CountersignError> {
  try {
    await act();
  } catch (error) {
    return error as CountersignError;
  }
  throw new Error("was accepted");
}

function place(more = ""): Workplace {
  const made = new Workplace("  - policy: policies/p.js\n", more);
  made.write("policies/p.js", "export const blob_verify = () => 0;");
  return made;
}

const open = ({ config }: Workplace) => Engine.open(readConfig(config));

describe.each(Object.keys(PUT))("%s that is named as a file", (what) => {
  it.each([
    ["a policy", "policies/p.js"],
    ["a map's file", "m.json"],
    ["a keyring's certificates", "certs/ca.pem"],
    ["the configuration", "countersign.yaml"],
  ])("is not read as %s, nor waited for", async (_, name) => {
    const here = place("maps: { m: { file: m.json } }");
    here.write("m.json", "{}");
    (await open(here)).close();
    rmSync(here.at(name));
    PUT[what]!(here.at(name));
    const error = await refusal(() => open(here));
    expect(error.code, error.message).toBe("FILE_UNREADABLE");
    expect(error.place).toContain(name);
    expect(error.remedy).toBeTruthy();
  });

  it("is not put out of its place by what is written", async () => {
    const here = place();
    PUT[what]!(here.at("out"));
    const before = lstatSync(here.at("out"));
    if (what.startsWith("a link to")) return;
    const error = await refusal(() => writeWhole(here.at("out"), Buffer.from("x")));
    expect([error.code, error.message]).toEqual(["FILE_UNREADABLE", "is not a regular file"]);
    expect(lstatSync(here.at("out")).ino).toBe(before.ino);
  });
});

describe("a log", () => {
  it("is no pipe that nobody reads, and does not wait for one that is full", async () => {
    const here = place();
    const options = { file: here.at("log"), rotate: 1e9, keep: 1 };
    PUT["a pipe"]!(options.file);
    expect((await refusal(() => new RotatingFile(options))).message).toBe("the log cannot be opened: ENXIO");
    // a process that opens it and reads nothing
    const script = `
      const { openSync } = require("node:fs");
      openSync(process.argv[1], "r+");
      process.stdout.write("open");
      process.stdin.resume();`;
    const { spawn } = await import("node:child_process");
    const reader = spawn(process.execPath, ["-e", script, options.file], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise((resolve) => reader.stdout.once("data", resolve));
    const log = new RotatingFile(options);
    const error = await refusal(() => {
      for (;;) log.write(`${"x".repeat(1000)}\n`);
    });
    reader.kill();
    expect([error.code, error.message]).toEqual(["FILE_UNREADABLE", "the log cannot be written: EAGAIN"]);
    log.close();
  });

  it("may be a device", () => {
    const log = new RotatingFile({ file: "/dev/null", rotate: 1, keep: 1 });
    log.write("x\n");
    log.write("x\n");
    log.close();
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

describe("a policy that imports", () => {
  const importing = (): Workplace => {
    const here = place();
    here.write("policies/p.js", `import { f } from "./lib.js"; export const blob_verify = () => f();`);
    return here;
  };

  it("does not follow a link out of its folder", async () => {
    const here = importing();
    symlinkSync(here.write("lib.js", "export const f = () => 0;"), here.at("policies/lib.js"));
    const error = await refusal(() => open(here));
    expect(error).toMatchObject({ code: "POLICY_FORBIDDEN", place: expect.stringContaining("policies/lib.js") });
  });

  it("does not follow a folder that is a link out of its folder", async () => {
    const here = importing();
    here.write("policies/p.js", `import { f } from "./up/lib.js"; export const blob_verify = () => f();`);
    here.write("lib.js", "export const f = () => 0;");
    symlinkSync(here.folder, here.at("policies/up"));
    expect((await refusal(() => open(here))).code).toBe("POLICY_FORBIDDEN");
  });

  it("follows links within it, as volumes of Kubernetes have them", async () => {
    const here = importing();
    here.write("policies/..data/lib.js", "export const f = () => 0;");
    symlinkSync("..data/lib.js", here.at("policies/lib.js"));
    (await open(here)).close();
  });

  it("is as good from a folder that is itself a link", async () => {
    const here = importing();
    here.write("policies/lib.js", "export const f = () => 0;");
    const other = place();
    rmSync(other.at("policies"), { recursive: true });
    symlinkSync(dirname(here.at("policies/lib.js")), other.at("policies"));
    (await open(other)).close();
  });
});

describe("a name in a configuration", () => {
  it.each([
    ["of a megabyte", LARGE],
    ["that moves a cursor", '"\\e[2Jx\\r\\nall allowed.js"'],
    ["with a NUL", '"policies/a\\0.js"'],
    ["that is a path to nowhere", '"../../nowhere/p.js"'],
  ])("%s is refused in one short line", async (_, name) => {
    const here = place();
    for (const key of ["policy", "name", "domain", "mode"]) {
      const text = readFileSync(here.config, "utf8").replace(/ {2}- policy: .*/, `  - ${key}: ${name}`);
      here.write("other.yaml", text);
      const error = await refusal(() => Engine.open(readConfig(here.at("other.yaml"))));
      expect(error.code, key).toMatch(/CONFIG_INVALID|FILE_UNREADABLE/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(error.toString()).not.toMatch(/[\u0000-\u001f]/);
      if (key !== "policy") expect(error.toString().length).toBeLessThan(1000);
    }
  });
});
