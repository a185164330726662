import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestOfContent } from "../../src/log/definition.js";
import { runCommand } from "../support/command-line.js";
import { Workplace } from "../support/workplace.js";

const place = new Workplace("  - policy: p.js", "maps: { m: { writable: { entries: 9, bytes: 1KiB } } }");
place.write(
  "p.js",
  'import { read } from "countersign"; export const blob_verify = (blob) => -read(blob.data, 0, 1)[0];',
);

const DATA = Buffer.from([1, 2, 3]);
const SHA256 = createHash("sha256").update(DATA).digest("hex");
const FACTS = { name: "b", digest: SHA256, data: { sha256: SHA256, length: 3 }, signature: null };
const CURRENT = {
  ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};
const REQUEST = {
  hook: "blob_verify",
  subject: { kind: "blob", facts: FACTS },
  current: CURRENT,
  bytes: { [SHA256]: DATA.toString("base64") },
};
const subject = (facts: object, more: object = {}) => ({ ...REQUEST, subject: { kind: "blob", facts, ...more } });
const definition = digestOfContent(JSON.stringify({ kind: "blob", facts: FACTS }));

function check(...lines: readonly (object | string)[]) {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  return runCommand("check", "--config", place.config, "--json", "--request", place.write("r.jsonl", text));
}

describe("recorded requests", () => {
  it("are answered with their bytes, and with a definition that fits", async () => {
    const { out, err, code } = await check(REQUEST, subject(FACTS, { definition }));
    expect([err, code]).toEqual(["", 1]);
    for (const line of out.trimEnd().split("\n")) expect(JSON.parse(line).decision.verdict).toBe(-1);
  });

  it.each<[string, object | string, string]>([
    ["bytes that are no base64", { ...REQUEST, bytes: { [SHA256]: "AQI*" } }, "is not base64"],
    ["base64 without its padding", { ...REQUEST, bytes: { [SHA256]: "AQI" } }, "is not base64"],
    ["bytes with another digest", { ...REQUEST, bytes: { [SHA256]: "AQIE" } }, "these bytes have the SHA-256"],
    ["a digest that is none", { ...REQUEST, bytes: { aa: "AQID" } }, "is not 32 bytes in lower-case hex"],
    ["bytes of no fact", { ...REQUEST, bytes: { ...REQUEST.bytes, [sha("x")]: "eA==" } }, "no fact has these bytes"],
    ["another length than the bytes", subject({ ...FACTS, data: { sha256: SHA256, length: 4 } }), "are 3, not 4"],
    [
      "a length that no file has",
      subject({ ...FACTS, data: { sha256: SHA256, length: 2 ** 40 } }),
      "more than the most",
    ],
    ["a negative length", subject({ ...FACTS, data: { sha256: SHA256, length: -1 } }), "less than the least"],
    ["bytes as text", subject({ ...FACTS, data: "abc" }), "`data`"],
    ["a missing fact", subject({ name: "b", digest: SHA256, data: FACTS.data }), "`signature` is missing"],
    ["an unknown fact", subject({ ...FACTS, purpose: "exec" }), "unknown key `purpose`"],
    ["a fact of another type", subject({ ...FACTS, name: 1 }), "`name` should be text"],
    ["a prototype", JSON.stringify(REQUEST).replace('"name"', '"__proto__":{"a":1},"name"'), "__proto__"],
    ["an unknown key", { ...REQUEST, uid: 1 }, "unknown key `uid`"],
    ["a described subject beside it", { ...REQUEST, blob: { data: "a" } }, "unknown key `blob`"],
    ["a key that is twice", JSON.stringify(REQUEST).replace('"pid":1', '"pid":1,"pid":2'), "r.jsonl:1"],
    ["a subject of another hook", { ...REQUEST, hook: "bpf" }, "bpf is about a command, not about a blob"],
    ["a hook that does not exist", { ...REQUEST, hook: "blob" }, "`blob` is not"],
    ["a kind that does not exist", { ...REQUEST, subject: { kind: "x", facts: {} } }, "`x`"],
    ["a subject that is a list", { ...REQUEST, subject: [] }, "`subject` should be a mapping"],
    ["a subject that is null", { ...REQUEST, subject: null }, "`subject` should be a mapping"],
    ["a missing caller", { ...REQUEST, current: undefined }, "`current` is missing"],
    ["a part of a caller", { ...REQUEST, current: { ...CURRENT, exe: undefined } }, "`exe` is missing"],
    ["a caller with another key", { ...REQUEST, current: { ...CURRENT, tgid: 1 } }, "unknown key `tgid`"],
    ["a uid that is none", { ...REQUEST, current: { ...CURRENT, uid: 2 ** 32 } }, "more than the most"],
    ["a time that is none", { ...REQUEST, time: "now" }, "is not a time"],
    [
      "a definition of other facts",
      subject({ ...FACTS, name: "c" }, { definition }),
      "is not the digest of the subject",
    ],
    ["a definition that is none", subject(FACTS, { definition: "x" }), "16 bytes in lower-case hex"],
    ["contents of an unknown map", { ...REQUEST, maps: { n: {} } }, "the map `n`, which is not configured"],
  ])("reject %s", async (_, request, message) => {
    const { err, code, out } = await check(request, REQUEST);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain("r.jsonl:1");
    const [, second] = out.trimEnd().split("\n");
    expect(JSON.parse(second!).decision.verdict).toBe(-1);
  });

  it("do not lend their bytes to a later request that has none", async () => {
    const { bytes: _, ...without } = REQUEST;
    const { out, code } = await check(REQUEST, without);
    expect(code).toBe(2);
    expect(JSON.parse(out.trimEnd().split("\n")[1]!).decision.answers[0].fault.code).toBe("UNKNOWN_FACT");
  });

  it("are no longer than a line may be, and the lines before are decided", async () => {
    const long = { ...REQUEST, bytes: { [SHA256]: "A".repeat(2 ** 20) } };
    const { out, err, code } = await check(REQUEST, long, REQUEST);
    expect(code).toBe(2);
    expect(err).toContain("FILE_TOO_LARGE");
    expect(out.match(/"decision":\{/g)).toHaveLength(1);
  });

  it("take a length of a gigabyte without its bytes, and nesting without an end", async () => {
    const { bytes: _, ...without } = subject({ ...FACTS, data: { sha256: SHA256, length: 2 ** 30 } });
    expect((await check(without)).code).toBe(2);
    const deep = `${'{"subject":'.repeat(50_000)}1${"}".repeat(50_000)}`;
    expect((await check(deep)).err).toContain("r.jsonl:1");
  });
});

function sha(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
