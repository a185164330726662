import { describe, expect, it } from "vitest";
import * as z from "zod";
import { CASES } from "../../../src/config/cases.js";
import { Document } from "../../../src/config/document.js";
import { validated } from "../../../src/config/issue.js";
import { PREVIOUS_SPELLINGS, type PreviousSpelling } from "../../../src/config/previous-spellings.js";
import { SCHEMA } from "../../../src/config/schema.js";
import { upgradeSpellings } from "../../../src/config/upgrade.js";
import { rejection } from "../../support/rejection.js";
import { SPELLINGS } from "../../support/spellings.js";

/** Values of the renamed keys, which must be valid under the present key. */
const VALUES: Readonly<Record<string, string>> = { fuel: "100", wall: "50ms" };

const nameOf = ({ path, value, now }: PreviousSpelling) => `${path}${value === undefined ? "" : `: ${value}`} → ${now}`;
const keyOf = ({ path }: PreviousSpelling) => path.split(".").at(-1)!;

/** A document with one entry at the row's path, and the line of that entry. `entry` is `key: value`. */
function documentWith({ path }: PreviousSpelling, entry: string): string {
  if (path.startsWith("[]")) return `# a test\n- file: a.o\n  ${entry} # why\n`;
  const lines = ["version: 1", "# who loads what"];
  if (!path.startsWith("attachments")) lines.push("attachments: []");
  let indent = "";
  for (const step of path.split(".").slice(0, -1)) {
    const name = step === "*" ? "platform" : step;
    if (step === "[]") lines.push(`${indent}- policy: a.js`);
    else lines.push(`${indent}${name}:`);
    indent += "  ";
    if (step === "*") lines.push(`${indent}trust: [ca.pem]`);
    if (step === "timestamps") lines.push(`${indent}trust: [tsa.pem]`);
  }
  return `${[...lines, `${indent}${entry}   # why`].join("\n")}\n`;
}

function read(text: string): unknown {
  const document = new Document("c.yaml", text, "CONFIG_INVALID");
  return validated(document, text.startsWith("# a test") ? CASES : SCHEMA, SPELLINGS);
}

const upgraded = (text: string) => upgradeSpellings("c.yaml", text, SPELLINGS);

/** Ways to write a word, with what stands before and after it. */
const WAYS: Readonly<Record<string, readonly [before: string, after: string]>> = {
  plain: ["", ""],
  "in single quotes": ["'", "'"],
  "in double quotes": ['"', '"'],
  "with an anchor": ["&anchor ", ""],
};

describe.each([...SPELLINGS, ...PREVIOUS_SPELLINGS].map((row) => [nameOf(row), row] as const))("%s", (_, row) => {
  const key = keyOf(row);
  const isKey = row.value === undefined;
  const previous = row.value ?? key;
  const entryIn = (word: string, [before, after]: readonly [string, string]) =>
    isKey ? `${before}${word}${after}: ${VALUES[key]}` : `${key}: ${before}${word}${after}`;

  it.each(Object.entries(WAYS))("is an error with its place and the new spelling: %s", (_, way) => {
    const text = documentWith(row, entryIn(previous, way));
    const lines = text.split("\n");
    const line = lines.findIndex((one) => one.includes(entryIn(previous, way)));
    const anchor = way[0].startsWith("&") ? way[0].length : 0;
    const column = lines[line]!.indexOf(way[0] + previous) + anchor + 1;
    const error = rejection(() => read(text));
    expect([error.code, error.place]).toEqual(["CONFIG_INVALID", `c.yaml:${line + 1}:${column}`]);
    expect(error.message).toMatch(new RegExp(`\`${previous}\`.* was renamed to \`${row.now}\`$`));
    expect(error.remedy).toBe(`write \`${row.now}\`, or run \`countersign config upgrade --write c.yaml\``);
  });

  it.each(Object.entries(WAYS))("is replaced, and nothing else changes: %s", (_, way) => {
    const { text, changes } = upgraded(documentWith(row, entryIn(previous, way)));
    expect(text).toBe(documentWith(row, entryIn(row.now, way)));
    expect(changes.map(({ from, to }) => [from, to])).toEqual([[previous, row.now]]);
    expect(() => read(text)).not.toThrow();
    expect(upgraded(text)).toEqual({ text, changes: [] });
  });

  it("is known to no schema", () => {
    const schema = JSON.stringify(z.toJSONSchema(row.path.startsWith("[]") ? CASES : SCHEMA, { io: "input" }));
    const at = isKey ? `"${previous}":{` : `"${previous}"`;
    expect([schema.includes(at), schema.includes(isKey ? `"${row.now}":{` : `"${row.now}"`)]).toEqual([false, true]);
  });
});

const LIMITS = "version: 1\nattachments:\n  - policy: a.js\n    limits: ";

describe("an upgrade", () => {
  it("replaces a word that is written with escapes, or in a block", () => {
    const text = `version: 1
attachments:
  - policy: a.js
    "on_fault": "\\x72efuse"
    limits: { "\\u0077all": 1s, ? 'fuel' : 5 }
gate:
  existing: >-
    refuse
  rewritten: |-
    refuse  
`;
    expect(upgraded(text).text).toBe(`version: 1
attachments:
  - policy: a.js
    "on_fault": "deny"
    limits: { "timeout": 1s, ? 'steps' : 5 }
gate:
  existing: >-
    deny
  rewritten: |-
    refuse  
`);
  });

  it("keeps line ends, and replaces each place of an anchor once", () => {
    const text = `${LIMITS}&l { wall: 1s }\n  - policy: b.js\n    limits: *l\n    on_fault: &d refuse\ngate: { existing: *d }\n`;
    const dos = text.replaceAll("\n", "\r\n");
    const present = dos.replace("wall", "timeout").replace("refuse", "deny");
    expect(upgraded(dos).text).toBe(present);
    expect(() => read(present)).not.toThrow();
  });

  it("changes no word that means something else", () => {
    const text = `version: 1
maps: { refuse: { file: wall.json } }
keyrings: { wall: { trust: [refused] } }
attachments:
  - { name: refuse, policy: refuse.js, domain: fuel, scope: { labels: "refuse in (refused)", comm: wall } }
`;
    expect(upgraded(text)).toEqual({ text, changes: [] });
  });

  it.each([
    [
      "both spellings of a key",
      `${LIMITS}{ steps: 1, fuel: 2 }\n`,
      "c.yaml:4:25",
      "`fuel` is the previous spelling of `steps`, which is there too",
    ],
    [
      "an alias that repeats the word as something else",
      "version: 1\nattachments:\n  - { policy: a.js, on_fault: &r refuse, name: *r }\n",
      "c.yaml:3:34",
      "`refuse` cannot be replaced by `deny` here: an alias repeats a changed value elsewhere",
    ],
    ["what is no YAML", "a: [\n", "c.yaml:2:1", "deficient indentation"],
  ])("rejects %s", (_, text, place, message) => {
    const error = rejection(() => upgraded(text));
    expect([error.code, error.place, error.message]).toEqual(["CONFIG_INVALID", place, message]);
    expect(error.remedy).toBeDefined();
  });

  it("needs no valid configuration", () => {
    const { text } = upgraded("attachment: []\ngate: { existing: refuse }\n");
    expect(text).toBe("attachment: []\ngate: { existing: deny }\n");
  });
});
