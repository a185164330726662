// @module-tag deep
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../support/command-line.js";

const fixtures = fileURLToPath(new URL("fixtures/planted-faults", import.meta.url));

/** What `countersign prove property --json` prints, as far as it is read here. */
interface ProveOutput {
  readonly properties: readonly {
    readonly property: string;
    readonly answer: string;
    readonly witness: { readonly values: Readonly<Record<string, unknown>> } | null;
    readonly doubts: readonly { readonly why: string }[];
  }[];
}

const UNSIGNED = "-ENODATA";

/** Values in the example of each fault, by which a person finds the mistake. */
const WITNESSES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "audit-for-enforce": { "prog.effects.sends_signal": true },
  "default-allows": { 'verify_program("logistics")': UNSIGNED, "current.container.labels": null },
  "errno-sign": { 'verify_program("research")': "-EKEYREVOKED", "prog.effects.read_only": true },
  "label-typo": {
    'current.container.labels["environment"]': "production",
    'verify_program("portal")': UNSIGNED,
  },
  "missing-null-check": { 'verify_program("platform")': "0", "current.container.labels": null },
  "or-for-and": { 'current.container.labels["zone"]': "cards", 'verify_program("cards")': UNSIGNED },
  precedence: { "prog.type": "socket_filter", 'verify_program("platform")': "0" },
  "text-comparison": { 'current.container.labels["level"]': "9", "prog.effects.read_only": false },
  "revoked-before-verified": {
    'verify_program("vendor")': "0",
    'map_lookup("recalled",statement_of("vendor").sha256)': 0,
  },
  "shadowed-rule": { "prog.effects.calls_bpf": true, "current.uid": 0, "current.container": null },
};

async function prove(fault: string, side: string) {
  const folder = join(fixtures, fault);
  const given = ["--config", join(folder, `${side}.yaml`), join(folder, "properties.js")];
  const { code, out, err } = await runCommand("prove", "property", "--json", ...given);
  if (out === "") throw new Error(err);
  const { properties } = JSON.parse(out) as ProveOutput;
  const reasons = [...new Set(properties.flatMap(({ doubts }) => doubts.map(({ why }) => why)))];
  return { code, properties, reasons };
}

describe("the property of each planted fault", () => {
  it.each(readdirSync(fixtures))("%s: it is refuted for the faulty configuration", async (fault) => {
    const { code, properties, reasons } = await prove(fault, "faulty");
    expect(reasons).toEqual([]);
    expect(code).toBe(1);
    // The engine has made the decision of each example
    expect(properties.map(({ answer }) => answer)).toEqual(properties.map(() => "refuted"));
    expect(properties[0]!.witness!.values).toMatchObject(WITNESSES[fault]!);
  });

  it.each(readdirSync(fixtures))("%s: it is proved for the right configuration", async (fault) => {
    const { code, properties, reasons } = await prove(fault, "right");
    expect(reasons).toEqual([]);
    expect(properties.map((one) => one.answer)).toEqual(properties.map(() => "proved"));
    expect(code).toBe(0);
  });
});
