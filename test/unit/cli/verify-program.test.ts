import { readdirSync, readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Issued } from "../../../src/trust/issuing/authority.js";
import { runCommand } from "../../support/command-line.js";
import { own, Workplace } from "../../support/workplace.js";

const LIMIT = own("examples/rate-limit.o");
const STEER = own("examples/xdp-steer.o");
const POLICY = `import { verify_program } from "countersign";
export const bpf_prog_load = (prog) => verify_program(prog, "platform");`;
const SETTINGS = `import { deny, signer_of, statement_of } from "countersign";
export function bpf_prog_load(prog) {
  const statement = statement_of(prog, "platform");
  if (statement === null) return deny("not signed");
  if (statement.settings.some(({ kind, value }) => kind === "autocreate" && value === 0)) return deny("a map is left out");
  return signer_of(prog, "platform").subject === "CN=Signer" ? 0 : deny("not released");
}`;

let place: Workplace;
beforeEach(() => {
  place = new Workplace("  - policy: policies/p.js");
  place.write("policies/p.js", POLICY);
});
afterEach(() => rmSync(place.folder, { recursive: true }));

async function sign(object: string, who: Issued = place.signer, ...options: string[]): Promise<void> {
  const key = place.write("key.pem", who.pem.key);
  const certificate = place.write("certificate.pem", who.pem.certificate);
  const named = ["--key", key, "--cert", certificate, "--out", place.at("signatures")];
  expect(await runCommand("sign", "--programs", ...named, ...options, object)).toMatchObject({ code: 0 });
}

/** The different reasons of the decisions about the programs; null if one is allowed. */
async function check(object: string): Promise<readonly (string | null)[]> {
  const { out, err } = await runCommand("check", "--config", place.config, "--json", object);
  expect(err).toBe("");
  const { decisions } = JSON.parse(out) as { decisions: { denied_by: { reason: string } | null }[] };
  return [...new Set(decisions.map(({ denied_by }) => denied_by?.reason ?? null))];
}

describe("verify_program in `check`", () => {
  it("is 0 for an object that `sign --programs` signed, and -ENODATA for any other", { tags: ["deep"] }, async () => {
    await sign(STEER);
    expect(await check(STEER)).toEqual([null]);
    expect(await check(LIMIT)).toEqual([
      "p: verify_program platform: -ENODATA (it matches no statement in the folders of signatures: sign its object with " +
        "`sign --programs`)",
    ]);
  });

  it("is for the programs that were named alone", async () => {
    await sign(STEER, place.signer, "--program", "count");
    expect(await check(STEER)).toEqual([expect.stringContaining("-ENODATA (it matches no statement"), null]);
  });

  it("is -ENOKEY for a signer that the keyring does not know", { tags: ["deep"] }, async () => {
    const { Authority } = await import("../../../src/trust/issuing/authority.js");
    await sign(LIMIT, Authority.create({ subject: "Other" }).issue({ subject: "Stranger" }));
    expect((await check(LIMIT))[0]).toMatch(/^p: verify_program platform: -ENOKEY \(/);
  });

  it("says that instructions alone were signed, and not that there is no signature", async () => {
    place.signInstructions(readFileSync(LIMIT));
    expect(await check(LIMIT)).toEqual([
      "p: verify_program platform: -ENODATA (it was signed before relocation: sign its object again with " +
        "`sign --programs`)",
    ]);
  });

  it("is -EKEYREJECTED for an object that was built again", { tags: ["deep"] }, async () => {
    await sign(LIMIT);
    const rebuilt = place.write("rate-limit.o", Buffer.concat([readFileSync(LIMIT), Buffer.from("\0")]));
    expect((await check(rebuilt))[0]).toMatch(
      /^p: verify_program platform: -EKEYREJECTED \(it is not what was signed: `[a-z_]+` is `[^`]+`, not `[^`]+` \(statement [0-9a-f]{64}\)\)$/,
    );
  });

  it("takes no statement that was changed after it was signed", async () => {
    await sign(LIMIT);
    const [name] = readdirSync(place.at("signatures")).filter((one) => one.endsWith(".statement"));
    const text = readFileSync(place.at(`signatures/${name}`), "latin1");
    place.write(`signatures/${name}`, Buffer.from(text.replace('"fixed":[]', '"fixed":[ ]'), "latin1"));
    const { err, out } = await runCommand("check", "--config", place.config, LIMIT);
    expect(out).toMatch(/denied -ENODATA/);
    expect(err).toContain("STATEMENT");
  });

  it("is 0 in `test`, too", { tags: ["deep"] }, async () => {
    place.write("policies/p.test.yaml", `- { file: ${LIMIT}, expect: -ENODATA }\n`);
    const test = () => runCommand("test", "--config", place.config);
    expect((await test()).code).toBe(0);
    await sign(LIMIT);
    expect((await test()).code).toBe(1);
    place.write("policies/p.test.yaml", `- { file: ${LIMIT}, expect: allow }\n`);
    expect((await test()).code).toBe(0);
  });
});

describe("statement_of and signer_of in `check`", () => {
  beforeEach(() => place.write("policies/p.js", SETTINGS));

  it("have the settings, and the signer", { tags: ["deep"] }, async () => {
    await sign(LIMIT, place.ca.issue({ subject: "Developer" }));
    expect((await check(LIMIT))[0]).toMatch(
      /^p: not released \(statement_of platform: [0-9a-f]{64}; signer_of platform: CN=Developer\)$/,
    );
    await sign(LIMIT);
    expect(await check(LIMIT)).toEqual([null]);
  });

  it("have the values that the signer fixed", async () => {
    const { out } = await runCommand("inspect", "--statement", LIMIT);
    const [, map] = /(\w+)\.autocreate/.exec(out) ?? [];
    await sign(LIMIT, place.signer, "--fix", `${map}.autocreate=0`);
    expect((await check(LIMIT))[0]).toMatch(/^p: a map is left out/);
  });

  it("note that a loader can choose other settings", { tags: ["deep"] }, async () => {
    await sign(LIMIT);
    const noted = async () => (await runCommand("check", "--config", place.config, LIMIT)).out;
    expect(await noted()).toContain("unknown offline: bpf_prog_load: settings of statements (limit, ");
    place.write("policies/p.js", POLICY);
    expect(await noted()).not.toContain("statements");
  });
});
