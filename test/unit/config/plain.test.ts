import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMap, isSeq, type Node, parseAllDocuments } from "yaml";
import type { Path } from "../../../src/config/plain.js";
import { readPlain } from "../../../src/config/plain.js";

/** What the yaml package makes of a text: its value and the offset of each entry; or what it has against it. */
function asYaml(text: string) {
  const documents = parseAllDocuments(text, { prettyErrors: false, stringKeys: true });
  const [yaml] = documents;
  if (yaml === undefined || documents.length > 1) return `${documents.length} documents`;
  const problem = yaml.errors[0] ?? yaml.warnings[0];
  if (problem !== undefined) return problem.message;
  const places: [Path, "key" | "value", number][] = [];
  const visit = (node: unknown, path: Path) => {
    if (isMap(node))
      for (const { key, value } of node.items as { key: Node; value: Node }[]) {
        const inner = [...path, String(key)];
        places.push([inner, "key", key.range![0]]);
        visit(value, inner);
      }
    if (isSeq(node))
      for (const [index, item] of (node.items as Node[]).entries()) {
        places.push([[...path, index], "value", item.range![0]]);
        visit(item, [...path, index]);
      }
  };
  visit(yaml.contents, []);
  return { value: yaml.toJS() as unknown, places };
}

/** Whether a text is plain; if so, it is to the yaml package exactly what it is to the plain reader. */
function agrees(text: string): boolean {
  const plain = readPlain(text);
  if (plain === null) return false;
  const yaml = asYaml(text);
  if (typeof yaml === "string") throw new Error(`${JSON.stringify(text)} is plain, and to the yaml package ${yaml}`);
  expect(plain.value, text).toStrictEqual(yaml.value);
  for (const [path, what, offset] of yaml.places)
    expect([path, plain.offset(path, what)], text).toEqual([path, offset]);
  return true;
}

const PLAIN = `# a comment

version: 1
mode: enforce   # another
keyrings:
  platform:
    trust: [certs/a.pem, "b c.pem", 'd: e']
    revoked: { crls: [], digests: [ AB12 ] }
    # a comment
    signers: 2
attachments:
- name: tc
  policy: ./policies/tc.js
  scope: { labels: "tier in (edge, prod), !debug", uid: [0, 1000-1999], container: true }

  limits:
      memory: 8MiB
      wall: 50ms
- policy: ../b.ts
  hooks:
  - bpf
  - bpf_map
signatures:
  - signatures/
`;

describe("plain YAML", () => {
  it("is what configurations are written in", () => {
    expect(agrees(PLAIN)).toBe(true);
    expect(readPlain(PLAIN)?.value).toMatchObject({
      keyrings: { platform: { trust: ["certs/a.pem", "b c.pem", "d: e"], signers: 2 } },
      attachments: [{ scope: { labels: "tier in (edge, prod), !debug", uid: [0, "1000-1999"] } }, {}],
    });
  });

  it("is not what means more than it says, or nothing", () => {
    const lines = ["~", "null", "Null", "yes", "0x10", "0o7", "1e3", "1.5", ".inf", ".nan", "007", "-1", "+1", "a: b"];
    const more = [
      "&a b",
      "*a",
      "!t b",
      "|",
      ">",
      "? a",
      "@a",
      "`a`",
      "%a",
      '"\\x41"',
      "'it''s'",

      "",
      "a\tb",
    ];
    for (const value of [...lines, ...more]) expect(agrees(`key: ${value}\n`), value).toBe(false);
    const texts = [
      "",
      "a",
      "- a\n--- \n- b",
      "---\na: b",
      "a: b\na: c",
      "a: b\n  c",
      "a:\nb: c",
      "__proto__: a",
      "a: b\n c: d",
    ];
    for (const text of [
      ...texts,
      "a: [b",
      "a: [b,]",
      "a: {b}",
      "a: é",
      "a: b\r\n",
      "\ufeffa: b",
      " a: b",
      "null: a",
      "1: a",
    ])
      expect(agrees(text), text).toBe(false);
  });

  it("is what it is to the yaml package, in this project's own pages and examples", () => {
    const files = ["docs", "examples", "deploy"].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
    );
    const texts = files.flatMap((file) => {
      if (/\.ya?ml$/.test(file)) return [readFileSync(file, "utf8")];
      if (!file.endsWith(".md")) return [];
      return Array.from(readFileSync(file, "utf8").matchAll(/^```ya?ml\n([\s\S]*?)^```/gm), ([, block]) => block!);
    });
    const plain = texts.filter(agrees);
    expect(plain.length).toBeGreaterThan(texts.length / 2);
  });

  const word = fc.constantFrom(
    ...[
      "a",
      "b1",
      "name",
      "x.y",
      "./a/b",
      "8MiB",
      "50ms",
      "1-2",
      "0",
      "12",
      "true",
      "null",
      "yes",
      "a b",
      "a, b",
      "e5",
      "1e5",
    ],
    ...[
      '"a"',
      "'b'",
      '"a: b"',
      "'#'",
      "[]",
      "{}",
      "[a, b]",
      "{ a: b }",
      "{a: [b], c: {d: 1}}",
      "[ a ,b]",
      '["a", b]',
      "~",
      "-",
      "--- ",
    ],
  );
  const key = fc.constantFrom("a", "b", "name", "x.y", "a-b", "_", "true", "1", '"k"', "<<", "__proto__");
  const line = fc
    .tuple(
      fc.nat(3),
      fc.constantFrom("", "", "- ", "-  ", "- - "),
      fc.option(key),
      fc.option(word),
      fc.constantFrom("", "", " ", " # c", "#"),
    )
    .map(([indent, dash, name, value, end]) => {
      const named = name === null ? "" : `${name}:${value === null ? "" : " "}`;
      return `${"  ".repeat(indent)}${dash}${named}${value ?? ""}${end}`;
    });
  const lines = fc.array(line, { maxLength: 8 }).map((all) => all.join("\n"));
  const nasty = fc.constantFrom(
    ..." \n\t:#-?,[]{}&*!|>'\"%@`~.=0aé\\\r".split(""),
    ": ",
    " #",
    "\n  ",
    "\n- ",
    "- ",
    "---\n",
  );
  const spoilt = fc
    .tuple(
      fc.constantFrom(PLAIN, "a: b\nc:\n  - d\n  - e: f\n    g: [h, {i: j}]\n"),
      fc.array(fc.tuple(fc.nat(), fc.nat(3), nasty), { minLength: 1, maxLength: 3 }),
    )
    .map(([text, spots]) =>
      spots.reduce<string>((now, [at, cut, put]) => {
        const offset = at % (now.length + 1);
        return now.slice(0, offset) + put + now.slice(offset + cut);
      }, text),
    );

  it.each([
    ["lines of all kinds", lines],
    ["a document with something put in or taken out", spoilt],
  ])("is what it is to the yaml package: %s", (_, texts: fc.Arbitrary<string>) => {
    let plain = 0;
    fc.assert(
      fc.property(texts, (text) => {
        if (agrees(text)) plain++;
      }),
      { numRuns: RUNS },
    );
    expect(plain).toBeGreaterThan(RUNS / 500);
  });

  const scalar = fc.constantFrom(
    "a",
    "b-1",
    "./p/q.js",
    "8MiB",
    "1-9",
    "0",
    "42",
    "true",
    '"x: y # z"',
    "'a b'",
    "[]",
    "[a, [b]]",
    "{ a: b }",
  );
  const name = fc.constantFrom("a", "b", "c.d", "e-f", "_g");
  const gap = fc.constantFrom("", "", "", "\n", "# c\n", "      # d\n");
  const { block } = fc.letrec<{ block: readonly string[] }>((tie) => ({
    // a collection as the lines it takes, from the column on which it begins
    block: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.tuple(name, scalar).map(([key, value]) => [`${key}: ${value}`]),
      fc.array(scalar, { minLength: 1, maxLength: 3 }).map((items) => items.map((item) => `- ${item}`)),
      fc
        .array(tie("block"), { minLength: 1, maxLength: 3 })
        .map((items) =>
          items
            .filter(([first]) => first?.startsWith("-") === false)
            .flatMap((item) => item.map((one, at) => `${at === 0 ? "- " : "  "}${one}`)),
        ),
      fc
        .uniqueArray(fc.tuple(name, tie("block"), fc.nat(2)), { minLength: 1, maxLength: 3, selector: ([key]) => key })
        .map((all) =>
          all.flatMap(([key, inner, deep]) => {
            const indent = " ".repeat(deep === 0 && inner[0]?.startsWith("-") ? 0 : deep + 1);
            return [`${key}:`, ...(inner.length > 0 ? inner : ["a: b"]).map((one) => indent + one)];
          }),
        ),
    ),
  }));

  it("is read whatever it holds, and however it is indented", () => {
    fc.assert(
      fc.property(block, fc.array(gap, { minLength: 1, maxLength: 5 }), (made, gaps) => {
        const text = made.map((one, at) => `${gaps[at % gaps.length]}${one}\n`).join("");
        expect(agrees(text), text).toBe(made.length > 0);
      }),
      { numRuns: RUNS },
    );
  });
});

const RUNS = 3000;
