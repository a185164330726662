import { lstatSync, mkdtempSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { beforeEach, describe, expect, it } from "vitest";
import { upgradeCommand } from "../../../../src/cli/commands/config-upgrade.js";
import { upgradeSpellings } from "../../../../src/config/upgrade.js";
import { captured, runCommand } from "../../../support/command-line.js";
import { SPELLINGS } from "../../../support/spellings.js";

const PREVIOUS = `\uFEFFversion: 1\r
# as it was\r
attachments:\r
  - policy: a.js\r
    limits: { wall: 1s } # long\r
gate: { existing: refuse }\r
`;
const PRESENT = PREVIOUS.replace("wall", "timeout").replace("refuse", "deny");

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-upgrade-"));
  file = join(folder, "countersign.yaml");
  writeFileSync(file, PREVIOUS, { mode: 0o640 });
});

/** The command with spellings of which the present version has none. */
const upgrade = (...words: readonly string[]) =>
  captured(async () => {
    const command = upgradeCommand((file, text) => upgradeSpellings(file, text, SPELLINGS));
    await new Command().addCommand(command).parseAsync(["node", "countersign", "upgrade", ...words]);
    return Number(process.exitCode ?? 0);
  });

describe("countersign config upgrade", () => {
  it("prints the configuration in the present spelling, byte for byte as it was otherwise", async () => {
    expect(await upgrade(file)).toEqual({ code: 0, out: PRESENT, err: "" });
    expect(readFileSync(file, "utf8")).toBe(PREVIOUS);
  });

  it("lists with --check what has to change, and exits with 1 while anything has to", async () => {
    const { code, out } = await upgrade("--check", file);
    expect(code).toBe(1);
    expect(out).toContain(`${file}:5:15`);
    expect(out).toMatch(/attachments\[0\]\.limits\.wall +wall +timeout\n/);
    expect(out).toMatch(/gate\.existing +refuse +deny\n/);
    expect(out).toContain(`\n${file}: 2 spellings to change\n`);
    expect(readFileSync(file, "utf8")).toBe(PREVIOUS);
    writeFileSync(file, PRESENT);
    expect(await upgrade("--check", file)).toEqual({ code: 0, out: `${file}: nothing to change\n`, err: "" });
  });

  it("changes the file with --write, and keeps its permissions and a symbolic link", async () => {
    const link = join(folder, "link.yaml");
    symlinkSync("countersign.yaml", link);
    const { code, out } = await upgrade("--write", link);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("2 spellings changed\n") });
    expect(readFileSync(file, "utf8")).toBe(PRESENT);
    expect([lstatSync(link).isSymbolicLink(), statSync(file).mode & 0o777]).toEqual([true, 0o640]);
    expect(readdirSync(folder).sort()).toEqual(["countersign.yaml", "link.yaml"]);
    const { ino } = statSync(file);
    expect((await upgrade("--write", file)).out).toBe(`${file}: nothing to change\n`);
    expect(statSync(file).ino).toBe(ino);
  });

  it("has an object for programs", async () => {
    const changes = [
      { place: `${file}:5:15`, path: "attachments[0].limits.wall", from: "wall", to: "timeout" },
      { place: `${file}:6:19`, path: "gate.existing", from: "refuse", to: "deny" },
    ];
    const answer = async (...words: readonly string[]) => JSON.parse((await upgrade("--json", ...words, file)).out);
    expect(await answer()).toEqual({ file, changes, written: false, text: PRESENT });
    expect(await answer("--check")).toEqual({ file, changes, written: false });
    expect(await answer("--write")).toEqual({ file, changes, written: true });
  });

  it("changes nothing where it cannot change all", async () => {
    const text = "version: 1\nattachments: [{ policy: a.js, limits: { wall: 1s, timeout: 1s } }]\n";
    writeFileSync(file, text);
    await expect(upgrade("--write", file)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      place: `${file}:2:41`,
      message: "`wall` is the previous spelling of `timeout`, which is there too",
    });
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("leaves a configuration in the present spelling as it is", async () => {
    writeFileSync(file, PRESENT);
    expect(await runCommand("config", "upgrade", file)).toEqual({ code: 0, out: PRESENT, err: "" });
  });

  it.each([
    [["--write", "--check", "x"], "USAGE"],
    [["missing.yaml"], "FILE_UNREADABLE"],
    [["/"], "FILE_UNREADABLE"],
  ])("answers %j with %s and exit code 2", async (words, errorCode) => {
    const { code, out, err } = await runCommand("config", "upgrade", ...words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`[${errorCode}]`);
  });
});
