import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify, type ToStringOptions } from "yaml";
import { Document } from "../../../src/config/document.js";
import type { Path } from "../../../src/config/document-tree.js";
import { readPlainYaml } from "../../../src/config/plain-yaml.js";

/** A comment that only the YAML parser reads: it has a letter that is not ASCII. */
const FOR_PARSER = "\n# é\n";

/** Everything that a document says about a value and the values within it. */
function described(document: Pick<Document, "offset" | "quote">, value: unknown, path: Path = []): unknown[] {
  const own = [path, document.offset(path, "key"), document.offset(path, "value"), document.quote(path)];
  if (typeof value !== "object" || value === null) return [[...own, value]];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const missing = [...path, Array.isArray(value) ? steps.length : "missing"];
  return [
    [...own, steps],
    [missing, document.offset(missing, "key"), document.offset([...missing, "within"], "value")],
    ...steps.flatMap((step) => described(document, (value as Record<PropertyKey, unknown>)[step], [...path, step])),
  ];
}

function read(text: string): unknown[] | null {
  const tree = readPlainYaml(text);
  return tree === null ? null : described(tree, tree.value);
}

function parsed(text: string): unknown[] {
  const document = new Document("a.yaml", text + FOR_PARSER, "CONFIG_INVALID");
  return described(document, document.value);
}

const PLAIN: Record<string, string> = {
  "a mapping": "version: 1\nmode: audit",
  "scalars of all kinds": "a: true\nb: false\nc: 0\nd: 123456789012345\ne: 10ms\nf: ../x/y.js\ng: 1.2.3\nh: 64 KiB\n",
  "quoted scalars": `a: "x: y"\nb: 'it is # no comment'\nc: ""\nd: "it's"\n`,
  comments: "# first\n\n  # second\na: 1 # third\nb: # fourth\n  # fifth\n  c: 2\n# last",
  "a list that is indented": "a:\n  - x\n  - y: 1\n    z: 2\nb: 3\n",
  "a list that is not": "a:\n- x\n- y:\n  - 1\n  z:\n    k: v\nb: 3\n",
  "flow collections": "a: [x, 1, [true], {k: v, l: [ ]}]\nb: { m: w x, n: 'q' }\nc: []\nd: {}\n- ".slice(0, -2),
  "a list as the root": "- a\n- b: c\n  d: e\n",
  "spaces at the ends": "a:   1  \nb:  \n   c: d \n   \n",
  "names that look like constants": "nullable: truest\nyes: no\non: off\n",
};

const NOT_PLAIN: Record<string, string> = {
  nothing: "",
  "a comment alone": "# none",
  "a scalar as the root": "word",
  tabs: "a:\tb",
  "CR LF": "a: 1\r\n",
  "a marker of a document": "---\na: 1\n",
  "a directive": "%YAML 1.1\n---\na: 1\n",
  "a value that is missing": "a:\nb: 1\n",
  "a key that is there twice": "a: 1\na: 2\n",
  "a name of Object.prototype": "toString: 1\n",
  __proto__: "__proto__: 1\n",
  "an alias": "a: &x 1\nb: *x\n",
  "a tag": "a: !!str 1\n",
  "a block scalar": "a: |\n  b\n",
  "a scalar of two lines": "a: b\n  c\n",
  "flow over two lines": "a: [b,\n  c]\n",
  "a mapping within a line": "a: b: c\n",
  "an escape": 'a: "\\n"\n',
  "a doubled quote": "a: 'b''c'\n",
  "other numbers": "a: 0x10\n",
  "a float": "a: 1.5\n",
  "an exponent": "a: 1e3\n",
  "a number with zeros before it": "a: 010\n",
  null: "a: null\n",
  "Null as a key": "Null: 1\n",
  "a constant in capitals": "a: TRUE\n",
  "a merge": "<<: 1\n",
  "a line indented less than its block": "a:\n    b: 1\n  c: 2\n",
  "a list in a mapping's middle": "a: 1\n- b\n",
  "collections 40 deep": `a: ${"[".repeat(40)}${"]".repeat(40)}\n`,
};

describe("readPlainYaml", () => {
  it.each(Object.entries(PLAIN))("reads %s as the YAML parser does", (_, text) => {
    expect(read(text)).toEqual(parsed(text));
  });

  it.each(Object.entries(NOT_PLAIN))("leaves %s to the YAML parser", (_, text) => {
    expect(readPlainYaml(text)).toBeNull();
  });

  it("agrees with the YAML parser on whatever it reads", () => {
    const words = [
      "a",
      "b",
      "key",
      "null",
      "true",
      "1",
      "0x1",
      "1.5",
      "./p.js",
      "k=v",
      "-",
      "x y",
      "''",
      '"q"',
      "'",
      "?",
    ];
    const marks = [
      ": ",
      ":",
      "- ",
      " ",
      "  ",
      "[",
      "]",
      "{",
      "}",
      ", ",
      ",",
      " # c",
      "#",
      "\n",
      "\n",
      "\n  ",
      "\n    ",
      "\n- ",
    ];
    const soup = fc.array(fc.constantFrom(...words, ...marks), { maxLength: 14 }).map((parts) => parts.join(""));
    const lines = fc
      .array(
        fc.record({
          indent: fc.constantFrom("", "", "  ", "    "),
          dash: fc.constantFrom("", "", "- "),
          key: fc.constantFrom("a: ", "b: ", "c:", "d:", ""),
          value: fc.oneof({ weight: 3, arbitrary: fc.constantFrom("", "", ...words) }, { weight: 1, arbitrary: soup }),
        }),
        { maxLength: 6 },
      )
      .map((all) => all.map(({ indent, dash, key, value }) => `${indent}${dash}${key}${value}`).join("\n"));
    const scalars = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom("a", true, 0, 12, "x y", "k=v", "./p.js") },
      { weight: 1, arbitrary: fc.constantFrom("true", false, "12", "it's", "a: b", null, 1.5, "") },
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        scalars,
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "c", "true", "1"), tie("value"), { maxKeys: 3 }),
      ),
    }));
    const style = fc.record({
      indent: fc.constantFrom(2, 3),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom("any", "block", "flow"),
      singleQuote: fc.boolean(),
    });
    // what the library writes, and the same with something put into it
    const written = fc
      .tuple(
        fc.dictionary(fc.constantFrom("x", "y"), value, { minKeys: 1 }),
        style,
        fc.nat(),
        fc.constantFrom("", "", ...marks),
      )
      .map(([tree, options, at, mark]) => {
        const text = stringify(tree, options as ToStringOptions);
        return text.slice(0, at % text.length) + mark + text.slice(at % text.length);
      });
    let plain = 0;
    fc.assert(
      fc.property(fc.oneof(lines, soup, written), (text) => {
        const own = read(text);
        if (own === null) return;
        plain++;
        expect(own).toEqual(parsed(text));
      }),
      { numRuns: 8000, seed: 11 },
    );
    expect(plain).toBeGreaterThan(200);
  });
});
