import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { readConfig } from "../../../src/config/config.js";
import { SCHEMA } from "../../../src/config/schema.js";
import { preopenFiles } from "../../../src/gate/messages/preopened-files.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { runCommand } from "../../support/command-line.js";
import { own } from "../../support/workplace.js";

/** An error about a path of a configuration has the line and column of what names the path. */
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-places-"));
  copyFileSync(own("examples/drop-telnet.o"), at("program.o"));
  writeFileSync(at("ca.pem"), Authority.create({ subject: "CA" }).pem.certificate);
  writeFileSync(at("allow.js"), "export const bpf_prog_load = () => 0;\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEYRING = (rules: string) => `attachments: []\nkeyrings:\n  k: { ${rules} }\n`;
const CA = "trust: [ca.pem]";

/** A configuration for each key that is a path, which is missing, and the line of the entry that has it. */
const PATHS: Readonly<Record<string, readonly [text: string, line: number]>> = {
  "keyrings.*.trust[]": [KEYRING("trust: [missing]"), 4],
  "keyrings.*.revoked.crls[]": [KEYRING(`${CA}, revoked: { crls: [missing] }`), 4],
  "keyrings.*.revoked.certificates[]": [KEYRING(`${CA}, revoked: { certificates: [missing] }`), 4],
  "keyrings.*.revoked.serials[].issuer": [
    KEYRING(`${CA}, revoked: { serials: [{ issuer: missing, serials: ["01"] }] }`),
    4,
  ],
  "keyrings.*.timestamps.trust[]": [KEYRING(`${CA}, timestamps: { trust: [missing] }`), 4],
  "keyrings.*.sigstore.root": [KEYRING("sigstore: { root: missing }"), 4],
  "maps.*.file": ["attachments: []\nmaps:\n  m: { file: missing }\n", 4],
  "attachments[].policy": ["attachments:\n  - { policy: missing }\n", 3],
  "signatures[]": ["attachments: []\nsignatures:\n  - missing\n", 4],
  "log.file": ["attachments: []\nlog:\n  file: missing/log.jsonl\n", 4],
  "log.programs": ["attachments: []\nlog:\n  file: log.jsonl\n  programs: missing/programs\n", 5],
  shadow: ["attachments: []\n\nshadow: missing\n", 4],
};

/** Keys that hold text of at least one character which names no file. */
const NO_PATHS = [
  "attachments[].scope.comm",
  "attachments[].scope.comm[]",
  "attachments[].scope.container",
  "attachments[].scope.container[]",
  "attachments[].scope.exe",
  "attachments[].scope.exe[]",
  "keyrings.*.sigstore.identities[].issuer",
  "keyrings.*.sigstore.identities[].subject",
  "keyrings.*.ssh.namespaces[]",
  "keyrings.*.usage[]",
];

type Schema = z.core.JSONSchema.JSONSchema;

/** The keys of a schema whose value is a text with a minimum length. */
function textsOf(schema: Schema, path: string): string[] {
  const within = (inner: unknown, at: string) => (typeof inner === "object" ? textsOf(inner as Schema, at) : []);
  return [
    ...(schema.type === "string" && schema.minLength !== undefined ? [path] : []),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) =>
      within(one, path === "" ? key : `${path}.${key}`),
    ),
    ...within(schema.additionalProperties, `${path}.*`),
    ...within(schema.items, `${path}[]`),
    ...(schema.anyOf ?? []).flatMap((one) => within(one, path)),
  ];
}

function write(text: string): string {
  writeFileSync(at("c.yaml"), `version: 1\n${text}`);
  return at("c.yaml");
}

const PLACE = (line: number) => `${at("c.yaml")}:${line}:`;
const NAMED = Object.entries(PATHS).map(([key, [text, line]]) => [key, text, line] as const);
const only = (prefix: string) => NAMED.filter(([key]) => key.startsWith(prefix));

describe("an error about a path of a configuration has its place", () => {
  it("for each key that is a path", () => {
    const texts = textsOf(z.toJSONSchema(SCHEMA, { io: "input" }) as Schema, "");
    expect([...new Set(texts)].sort()).toEqual([...Object.keys(PATHS), ...NO_PATHS].sort());
  });

  it.each(NAMED)("for %s in `check`", async (key, text, line) => {
    const log = key.startsWith("log.") ? ["--log"] : [];
    const { code, err } = await runCommand("check", "--config", write(text), at("program.o"), ...log);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(`countersign: ${PLACE(line)}`) });
    expect(err).toMatch(/missing.*\[FILE_UNREADABLE\]/);
  });

  it.each(NAMED.filter(([key]) => !key.startsWith("log.")))("for %s in `lint`", async (_, text, line) => {
    const { out, err } = await runCommand("lint", write(text));
    expect(`${out}${err}`).toContain(`/c.yaml:${line}:`);
  });

  it.each([...only("keyrings"), ...only("signatures")])("for %s in `keyring check`", async (_, text, line) => {
    const { code, err } = await runCommand("keyring", "check", "--config", write(text));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(`countersign: ${PLACE(line)}`) });
    expect(err).toContain("[FILE_UNREADABLE]");
  });

  it.each(only("log"))("for %s in `run`", async (_, text, line) => {
    const { code, err } = await runCommand("run", "--config", write(`${text}mode: audit\n`), "true");
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(`countersign: ${PLACE(line)}`) });
  });

  it("for a folder of signatures in `run` and `repl`", async () => {
    const [text, line] = PATHS["signatures[]"]!;
    expect(() => preopenFiles(readConfig(write(text)))).toThrow(
      expect.objectContaining({ place: expect.stringContaining(PLACE(line)) }),
    );
    const { code, err } = await runCommand("repl", "--config", write(text), "--eval", "1", at("program.o"));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(PLACE(line)) });
  });
});
