import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { recordsOf } from "../../../support/records.js";
import { own, Workplace } from "../../../support/workplace.js";

const PEEK = own("examples/peek-tc.o");
const DROP = own("examples/drop-telnet.o");
const AT = "2020-01-01T00:00:00.000Z";

function workplace(more = "log: { file: decisions.jsonl }"): Workplace {
  const place = new Workplace("  - policy: policies/allow-unsigned-tc.js", more);
  place.policy("allow-unsigned-tc.js");
  place.write("policies/allow-unsigned-tc.test.yaml", `- { file: ${DROP}, expect: allow }`);
  return place;
}

const run = (place: Workplace, name: string, ...words: string[]) =>
  runCommand(name, "--config", place.config, ...words);

describe("the log of countersign check", () => {
  for (const words of [[], ["--json"], ["--label", "tier=edge"], ["--as"], ["--at", AT], ["--hook", "bpf_map_create"]])
    it(`is not written unless --log is given: ${words.join(" ") || "no option"}`, async () => {
      const place = workplace();
      const as = words[0] === "--as" ? [place.write("as.json", '{ "uid": 7 }')] : [];
      expect((await run(place, "check", ...words, ...as, PEEK, DROP)).err).not.toContain("countersign: ");
      expect(existsSync(place.at("decisions.jsonl"))).toBe(false);
    });

  it("is not written by countersign test", async () => {
    const place = workplace();
    expect((await run(place, "test")).code).toBe(0);
    expect(existsSync(place.at("decisions.jsonl"))).toBe(false);
  });

  it("is the configuration's, or the file that is named", { tags: ["deep"] }, async () => {
    const place = workplace();
    const named = place.at("checks.jsonl");
    await run(place, "check", PEEK, DROP, "--log");
    await run(place, "check", `--log=${named}`, PEEK);
    await run(place, "check", "--log", named, DROP);
    const subjects = (file: string) => recordsOf(file).map(({ subject, verdict }) => [subject.name, verdict]);
    expect(subjects(place.at("decisions.jsonl"))).toEqual([
      ["peek", -1],
      ["drop_telnet", 0],
    ]);
    expect(subjects(named)).toEqual([
      ["peek", -1],
      ["drop_telnet", 0],
    ]);
    const without = workplace("");
    expect((await run(without, "check", `--log=${without.at("checks.jsonl")}`, DROP)).code).toBe(0);
    expect(subjects(without.at("checks.jsonl"))).toEqual([["drop_telnet", 0]]);
  });

  for (const at of [[], ["--at", AT]])
    it(`has the origin, the real time, and the judged time beside it ${at.join(" ")}`, async () => {
      const place = workplace();
      const before = Date.now();
      await run(place, "check", ...at, "--uid", "7", DROP, "--log");
      const [record] = recordsOf(place.at("decisions.jsonl"));
      expect(record).toMatchObject({ origin: "check", current: { uid: 7 } });
      expect(Date.parse(record?.time ?? "")).toBeGreaterThanOrEqual(before);
      expect(Date.parse(record?.time ?? "")).toBeLessThanOrEqual(Date.now());
      expect(record?.judged_time).toBe(at.length === 0 ? record?.time : AT);
    });

  it("is rejected where the configuration has none and none is named", async () => {
    const { code, err } = await run(workplace(""), "check", DROP, "--log");
    expect(code).toBe(2);
    expect(err).toMatch(
      /countersign\.yaml: has no `log`, so `--log` needs a file \[USAGE\]; write --log=FILE, or add `log`/,
    );
  });

  const notALog: Readonly<Record<string, (place: Workplace) => string>> = {
    "a program": (place) => place.write("program.o", readFileSync(DROP)),
    "a link to one": (place) => {
      place.write("program.o", readFileSync(DROP));
      symlinkSync(place.at("program.o"), place.at("link.jsonl"));
      return place.at("link.jsonl");
    },
    "another JSON file": (place) => place.write("as.json", '{ "uid": 7 }'),
    "the configuration": (place) => place.config,
  };
  for (const [what, make] of Object.entries(notALog))
    it(`is not written into ${what}`, async () => {
      const place = workplace();
      const file = make(place);
      const before = readFileSync(file);
      const { code, err } = await run(place, "check", "--log", file, PEEK);
      expect(code).toBe(2);
      expect(err).toContain(`${file}: is not a decision log [USAGE]`);
      expect(readFileSync(file)).toEqual(before);
    });

  it("is no file that is checked, even one that could be a log", async () => {
    const place = workplace();
    await run(place, "check", DROP, "--log");
    const log = place.at("decisions.jsonl");
    const { code, err } = await run(place, "check", `--log=${log}`, "--hook", "blob_verify", log);
    expect(code).toBe(2);
    expect(err).toContain("is not a decision log [USAGE]");
    expect(recordsOf(log).length).toBe(1);
  });
});
