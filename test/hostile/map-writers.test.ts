// @module-tag deep
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";
import { Workplace } from "../support/workplace.js";

/**
 * A policy that counts in a map, and two of another domain: one forges the count, one fills the map so that nothing can
 * be counted.
 */
const POLICIES = ["quota", "forge", "fill"] as const;
type Policy = (typeof POLICIES)[number];

interface Attached {
  readonly policy: Policy;
  readonly domain: string;
  readonly mode?: "enforce" | "audit";
}

const QUOTA: Attached = { policy: "quota", domain: "a" };
const FORGE: Attached = { policy: "forge", domain: "b" };
const FILL: Attached = { policy: "fill", domain: "b" };

describe("a map that a policy counts in", () => {
  let place: Workplace;
  let blobs: string[];
  beforeAll(() => {
    place = new Workplace("  []");
    for (const name of POLICIES)
      place.write(`${name}.js`, readFileSync(new URL(`map-writers/${name}.js`, import.meta.url)));
    blobs = ["f1", "f2", "f3", "f4", "f5", "f6"].map((name) => place.write(name, name));
  });

  const check = async (writers: readonly string[] | null, attached: readonly Attached[]) => {
    const map = { writable: { entries: 100, bytes: "64KiB" }, ...(writers === null ? {} : { writers }) };
    const attachments = attached.map(({ policy, ...more }) => ({ policy: `${policy}.js`, ...more }));
    const config = JSON.stringify({ version: 1, maps: { counts: map }, attachments });
    const { code, out, err } = await runCommand("check", "--json", "--config", place.write("c.yaml", config), ...blobs);
    return { code, err, files: code === 2 && out.includes('"error":{') ? [] : JSON.parse(out) };
  };
  /** What the policy that counts answered about each blob in turn. */
  const counted = (files: { decisions: { answers: { attachment: string; verdict: number; reason?: string }[] }[] }[]) =>
    files.map(({ decisions }) => decisions[0]?.answers.find(({ attachment }) => attachment === "quota")?.verdict);
  const THREE = [0, 0, 0, -1, -1, -1];

  it("counts where one domain alone names it", async () => {
    const { code, files, err } = await check(null, [QUOTA]);
    expect({ code, err, counted: counted(files) }).toEqual({ code: 1, err: "", counted: THREE });
  });

  for (const intruder of [FORGE, FILL])
    for (const attached of [
      [QUOTA, intruder],
      [intruder, QUOTA],
      [QUOTA, { ...intruder, mode: "audit" as const }],
    ])
      it(`is rejected without writers where ${intruder.policy} names it too: ${attached.map(({ policy }) => policy)}`, async () => {
        const { code, err } = await check(null, attached);
        expect(code).toBe(2);
        expect(err).toMatch(
          /c\.yaml:1:\d+: the map `counts` is named by policies of the domains `[ab]`, `[ab]`, but has no `writers` \[CONFIG_INVALID\]; list the attachments or domains that may write to it/,
        );
      });

  for (const writers of [["a"], ["quota"]])
    for (const intruder of [FORGE, FILL])
      for (const attached of [
        [QUOTA, intruder],
        [intruder, QUOTA],
        [{ ...QUOTA }, { ...intruder, mode: "audit" as const }],
      ])
        it(`counts with writers ${writers} beside ${intruder.policy}, which is warned about: ${attached.map(({ policy, mode }) => `${policy} ${mode ?? ""}`)}`, async () => {
          const { code, err, files } = await check(writers, attached);
          expect({ code, counted: counted(files) }).toEqual({ code: 1, counted: THREE });
          expect(err.trim().split("\n")).toEqual([
            expect.stringMatching(
              new RegExp(
                `warning: ${intruder.policy}\\.js:\\d+:\\d+: \`${intruder.policy}\` calls map_update on the map \`counts\`, which does not have \`${intruder.policy}\` or its domain in \`writers\`: the call returns -EPERM \\[MAP_WRITE_DENIED\\]`,
              ),
            ),
          ]);
        });

  it("counts beside a writer that fills its own share of it", async () => {
    for (const attached of [
      [QUOTA, FILL],
      [FILL, QUOTA],
    ]) {
      const { err, files } = await check(["a", "b"], attached);
      expect({ err, counted: counted(files) }).toEqual({ err: "", counted: THREE });
    }
  });

  it("is forged by a writer that is named", async () => {
    const { files } = await check(["a", "b"], [QUOTA, FORGE]);
    expect(counted(files)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
