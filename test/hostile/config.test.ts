import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig, readConfig } from "../../src/config/config.js";
import { readMapFile } from "../../src/config/mapfile.js";
import { rejection } from "../support/rejection.js";

const head = "version: 1\nattachments:\n";
const attachment = (more: string) => `${head}  - policy: a.js\n    ${more}\n`;
const deep = 100_000;

describe("a configuration that is not valid is refused at its place", () => {
  it.each([
    ["nothing", "", "1:1", "is empty"],
    ["a comment", "# nothing\n", "1:1", "is empty"],
    ["broken YAML", "a: [", "1:5", "flow collection"],
    ["a list", "- 1", "1:1", "the document should be a mapping, not a list"],
    ["no version", "attachments: []\n", "1:1", "`version` is missing"],
    ["another version", "version: 2\nattachments: []\n", "1:10", "`2` is not `1`"],
    ["no attachments", "version: 1\n", "1:1", "`attachments` is missing"],
    ["empty attachments", "version: 1\nattachments:\n", "2:13", "should be a list, not nothing"],
    ["attachments that are no list", "version: 1\nattachments: {}\n", "2:14", "should be a list, not a mapping"],
    [
      "an attachment that is no mapping",
      "version: 1\nattachments: [3]\n",
      "2:15",
      "`attachments[0]` should be a mapping",
    ],
    [
      "a misspelt key",
      "version: 1\nattachements: []\n",
      "2:1",
      "unknown key `attachements` (did you mean `attachments`?)",
    ],
    [
      "a misspelt key beside one that is therefore empty",
      `${head}  []\nkeyrings: {k: {trusted: [a]}}\n`,
      "4:16",
      "unknown key `trusted` in `keyrings.k` (did you mean `trust`?)",
    ],
    [
      "a misspelt key below",
      attachment("scope: {label: a}"),
      "4:13",
      "unknown key `label` in `attachments[0].scope` (did you mean `labels`?)",
    ],
    ["a misspelt hook", `${head}  []\ndefault: {bpf_prog_lod: deny}\n`, "4:11", "(did you mean `bpf_prog_load`?)"],
    [
      "a misspelt hook of an attachment",
      attachment("hooks: [bpf_prog_lode]"),
      "4:13",
      "(did you mean `bpf_prog_load`?)",
    ],
    [
      "a kernel's keyring that stands for none of the file's",
      "version: 1\nattachments: []\nkeyrings: { platform: { trust: [a.pem] } }\ngate: { keyrings: { 0: platfrom } }\n",
      "4:24",
      "names the keyring `platfrom`, which is not configured (did you mean `platform`?)",
    ],
    [
      "a kernel's keyring with a name",
      "version: 1\nattachments: []\nkeyrings: { platform: { trust: [a.pem] } }\ngate: { keyrings: { builtin: platform } }\n",
      "4:21",
      "is not the id of a kernel keyring",
    ],
    [
      "a kernel's keyring past 32 bits",
      "version: 1\nattachments: []\nkeyrings: { platform: { trust: [a.pem] } }\ngate: { keyrings: { 2147483648: platform } }\n",
      "4:33",
      "`2147483648` is not a 32-bit number",
    ],
    ["a misspelt mode", "version: 1\nattachments: []\nmode: adit\n", "3:7", "(did you mean `audit`?)"],
    [
      "a key that objects inherit",
      "version: 1\n__proto__: {a: 1}\nattachments: []\n",
      "2:1",
      "unknown key `__proto__`",
    ],
    ["a hook that objects inherit", `${head}  []\ndefault: {constructor: deny}\n`, "4:11", "unknown key `constructor`"],
    ["a key twice", "version: 1\nversion: 1\nattachments: []\n", "2:1", "the key `version` is given twice"],
    ["two documents", "version: 1\nattachments: []\n---\nb: 1\n", "4:1", "a second document begins here"],
    ["a key that is no text", "? {a: b}\n: c\n", "1:3", "all keys must be strings"],
    ["a key that is a list", "? [a]\n: c\n", "1:3", "all keys must be strings"],
    ["a key with a tag", "!!int 1: c\n", "1:7", "all keys must be strings"],
    ["a key that is left out", "version: 1\n: c\n", "1:1", "all keys must be strings"],
    ["a key that is an alias", "a: &x b\n*x : c\n", "2:1", "all keys must be strings"],
    ["a number twice, written alike", "{0: a, '0': b}\n", "1:8", "the key `0` is given twice"],
    ["a number that is written in another base", "{0x10: a}\n", "1:2", "unknown key `0x10`"],
    ["a tag of YAML 1.1", "version: !!binary aaaa\n", "1:10", "unknown scalar tag"],
    ["a NUL", "version: 1\0\n", "1:11", "null byte"],
    ["a tag", "version: 1\nattachments: !!js/function 'x'\n", "2:14", "unknown scalar tag"],
    ["a selector", attachment('scope: {labels: "tier in (edge"}'), "4:35", "the end where `,` or `)` was expected"],
    ["a plain selector", attachment("scope:\n      labels: a=b,-c"), "5:19", "`-c` is not a label's key"],
    [
      "a folded selector",
      attachment("scope:\n      labels: >\n        a=b,-c"),
      "5:15: column 5",
      "`-c` is not a label's key",
    ],
    ["a negative uid", attachment("scope: {uid: -1}"), "4:18", "`uid` is -1"],
    ["uids the wrong way round", attachment("scope: {uid: 5-2}"), "4:18", "`5-2` is not a range of uids"],
    ["uids beyond 32 bits", attachment("scope: {uid: 1-9999999999}"), "4:18", "is not a range of uids"],
    ["no uid", attachment("scope: {uid: [5, x]}"), "4:22", "`x` is not a uid or a range of uids"],
    ["no pattern", attachment("scope: {exe: []}"), "4:18", "`exe` is empty"],
    ["a container that is a number", attachment("scope: {container: 5}"), "4:24", "`container` should be"],
    ["a unit that is no power of two", attachment("limits: {memory: 8MB}"), "4:22", "`8MB` is not a size"],
    ["a misspelt limit", attachment("limits: {stebs: 3}"), "4:14", "(did you mean `steps`?)"],
    ["no steps", attachment("limits: {steps: 0}"), "4:21", "`steps` is 0"],
    ["a part of steps", attachment("limits: {steps: 1.5}"), "4:21", "should be a whole number"],
    ["a timeout without a unit", attachment("limits: {timeout: 50}"), "4:23", "is not a duration"],
    ["a timeout that limits nothing", attachment("limits: {timeout: 1h}"), "4:23", "outside of 1 to 10000"],
    ["memory that no policy can start in", attachment("limits: {memory: 2B}"), "4:22", "outside of 65536"],
    [
      "the same name twice",
      `${head}  - policy: a.js\n  - policy: b/a.ts\n`,
      "4:13",
      "`a` is attached already, at c.yaml:3:5",
    ],
    ["a policy whose file can't name it", `${head}  - policy: "my policy.js"\n`, "3:13", "can't name the attachment"],
    ["a path with a NUL", `${head}  - policy: "a\\0.js"\n`, "3:13", "contains a NUL"],
    [
      "a keyring without a certificate",
      `${head}  []\nkeyrings: {k: {trust: []}}\n`,
      "4:23",
      "`trust` is missing or empty",
    ],
    ["a keyring's name", `${head}  []\nkeyrings: {'a b': {trust: [a]}}\n`, "4:12", "`a b` is not a name"],
    [
      "a digest",
      `${head}  []\nkeyrings: {k: {trust: [a], revoked: {digests: [zz]}}}\n`,
      "4:48",
      "`zz` is not a SHA-256 digest",
    ],
    ["a default for `__proto__`", `${head}  []\ndefault: { __proto__: deny }\n`, "4:12", "`__proto__` is not a name"],
    ["a keyring called `__proto__`", `${head}  []\nkeyrings: { __proto__: { trust: [a] } }\n`, "4:13", "is not a name"],
    ["a map called `__proto__`", `${head}  []\nmaps:\n  __proto__: { file: a }\n`, "5:3", "`__proto__` is not a name"],
    ["a map of nothing", `${head}  []\nmaps: {m: {}}\n`, "4:11", "has neither `file` nor `writable`"],
    ["a log that keeps nothing", `${head}  []\nlog: {file: a, keep: 0}\n`, "4:22", "`keep` is 0"],
  ])("%s", (_, text, at, message) => {
    const error = rejection(() => parseConfig("c.yaml", text));
    expect(error.toString()).toContain(`c.yaml:${at}: `);
    expect(error.message).toContain(message);
    expect(["CONFIG_INVALID", "SELECTOR_INVALID"]).toContain(error.code);
    expect(error.remedy).toBeDefined();
    expect(error.toString()).not.toContain("\n");
  });

  it.each([
    ["lists", "[".repeat(deep), "nested too deeply"],
    ["mappings", "{a: ".repeat(deep), "nested too deeply"],
    [
      "aliases",
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}*a]\nc: &c [${"*b,".repeat(9)}*b]\nd: [${"*c,".repeat(9)}*c]`,
      "alias",
    ],
    ["an alias of nothing", "version: 1\nattachments: *x\n", "alias"],
    ["an alias of itself", "version: 1\nattachments: &x [*x]\n", 'the alias "x" contains itself'],
  ])("%s without end", (_, text, message) => {
    const error = rejection(() => parseConfig("c.yaml", text));
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain(message);
  });
});

const folder = mkdtempSync(join(tmpdir(), "countersign-config-"));
function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

describe("a file that can't be a configuration", () => {
  it("is refused when it is missing, a folder, not text or too large", () => {
    const missing = rejection(() => readConfig(join(folder, "countersign.yaml")));
    expect([missing.code, missing.message]).toEqual(["FILE_UNREADABLE", "cannot be read: ENOENT"]);
    expect(missing.remedy).toContain("countersign init");
    expect(rejection(() => readConfig(folder)).code).toBe("FILE_UNREADABLE");
    expect(rejection(() => readConfig(file("latin1.yaml", Uint8Array.of(0xe9)))).message).toBe("is not UTF-8 text");
    expect(rejection(() => readConfig(file("huge.yaml", "#".repeat(2 ** 20 + 1)))).code).toBe("FILE_TOO_LARGE");
  });
});

describe("a map's file", () => {
  it("is JSON or YAML, with every key that there is", () => {
    expect(
      readMapFile(file("good.json", '{"a": {"b": [1, null]}, "__proto__": 1, "c": "{\\"a\\": \\"a\\"}"}')),
    ).toEqual(JSON.parse('{"a": {"b": [1, null]}, "__proto__": 1, "c": "{\\"a\\": \\"a\\"}"}'));
    expect(readMapFile(file("good.yaml", "edge: { require_signature: true }\n"))).toEqual({
      edge: { require_signature: true },
    });
  });

  it.each([
    ["twice.json", '{"a": {"b": 1},\n "b": [{"a": 1}], "a": 2}', ":2:19", 'the key `"a"` is given twice'],
    ["escaped.json", '{"a": 1, "\\u0061": 2}', ":1:10", 'the key `"\\u0061"` is given twice'],
    ["below.json", '{"x": [{"a": 1, "a": 2}]}', ":1:17", 'the key `"a"` is given twice'],
    ["twice.yaml", "a: 1\na: 2\n", ":2:1", "the key `a` is given twice"],
    ["list.json", "[1]", "", "is not a mapping"],
    ["text.yaml", "hello", "", "is not a mapping"],
    ["broken.json", '{"a": }', "", "is not JSON"],
    ["comma.json", '{"a": 1\n "b": 2}', ":2:2", "is not JSON"],
    ["empty.json", "", "", "is not JSON"],
    ["infinite.yaml", "a: .inf\n", "", "the value of `a` is not a JSON value"],
    ["large.json", '{"a": [{"b": 9007199254740993}]}', "", "the value of `a` has a whole number beyond 2^53"],
    ["large.yaml", "id: 0xffffffffffffffff\n", "", "the value of `id` has a whole number beyond 2^53"],
    ["name.json", `{"${"k".repeat(1e6)}": 1e999}`, "", `the value of \`${"k".repeat(79)}…\` is not a JSON value`],
    ["deep.json", `{"a": ${"[".repeat(deep)}${"]".repeat(deep)}}`, "", "deeper than 64"],
    ["deep.yaml", `a: ${"[".repeat(deep)}`, ":1", "nested too deeply"],
  ])("%s is refused", (name, text, at, message) => {
    const path = file(name, text);
    const error = rejection(() => readMapFile(path));
    expect(error.code).toBe("MAP_INVALID");
    expect(error.place?.startsWith(`${path}${at}`)).toBe(true);
    expect(error.message).toContain(message);
  });
});
