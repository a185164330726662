import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { RecordReader } from "../../../../src/log/record-reader.js";
import type { Current } from "../../../../src/policy/model/current.js";
import { MaskedValues } from "../../../../src/workbench/replay/masked-values.js";
import { Replay } from "../../../../src/workbench/replay/replay.js";
import { Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const CALLER = task({
  pid: 7,
  tid: 8,
  exe: "/usr/bin/tc",
  container: { id: "c0", name: "web", labels: { tier: "edge", owner: "net" }, annotations: { team: "x" } },
});
const subject = { name: "blob", digest: "ab", data: Uint8Array.of(1, 2), signature: null, path: "/srv/blob" };

/** What replaying a decision gives that was recorded with a mask. */
async function replayed(policy: string, mask: readonly string[], scope = "", current: Current = CALLER) {
  const log = `log: { file: log.jsonl, level: inputs, mask: ${JSON.stringify(mask)} }`;
  const place = new Workplace(`  - { policy: p.js, limits: { timeout: 5s }${scope} }\n`, log);
  place.write("p.js", `import { deny, note } from "countersign";\n${policy}`);
  const engine = await Engine.open(readConfig(place.config));
  engine.decide({ hook: "blob_verify", subject, current });
  engine.close();
  const reader = new RecordReader();
  const replay = new Replay(reader);
  try {
    const lines = readFileSync(place.at("log.jsonl"), "utf8").trimEnd().split("\n");
    const [made] = lines.flatMap((line) => {
      const read = reader.read(line);
      return read.record?.type === "decision" ? [replay.decide(read)] : [];
    });
    return `${made!.result}${made!.because === "" ? "" : `: ${made!.because}`}`;
  } finally {
    replay.close();
  }
}

const LABEL = "/current/container/labels/owner";
const policy = (body: string) => `export function blob_verify(blob, current) { ${body} }`;

describe("a masked value", () => {
  afterEach(() => void expect.hasAssertions());

  it.each([
    ["of which a policy reads nothing", "return 0;", LABEL],
    ["beside one that it reads", 'return current.container.labels.tier === "edge" ? deny("edge") : 0;', LABEL],
    ["whose name it asks for", 'return "owner" in current.container.labels ? deny("owned") : 0;', LABEL],
    ["beside a label that is missing", "return current.container.labels.app === undefined ? deny('none') : 0;", LABEL],
    ["of a subject, beside one that it reads", "return deny(blob.name);", "/subject/path"],
    ["of the thread", 'return deny("no");', "/current/pid"],
  ])("%s: the decision is the same", async (_, body, pointer) => {
    expect(await replayed(policy(body), [pointer])).toBe("same");
  });

  it.each([
    ["is read", 'return current.container.labels.owner === "net" ? deny("net") : 0;', LABEL],
    ["is read by a copy", "note(JSON.stringify(current.container.labels)); return 0;", LABEL],
    ["is read among all", "note(Object.values(current.container.labels).join()); return 0;", LABEL],
    [
      "is read by a loop",
      "for (const [k, v] of Object.entries(current.container.labels)) note(k + v); return 0;",
      LABEL,
    ],
    [
      "has a value in it that is read",
      "return current.container.labels.tier ? deny('x') : 0;",
      "/current/container/labels",
    ],
    ["of a subject is read", "note(blob.digest); return 0;", "/subject/digest"],
    [
      "is read by a getter",
      "const { get } = Object.getOwnPropertyDescriptor(current.container, 'labels'); note(get().owner); return 0;",
      LABEL,
    ],
    ["of the thread is read", "note(String(current.pid)); return 0;", "/current/pid"],
    ["is read, and the error caught", "try { note(current.exe.length) } catch {} return 0;", "/current/exe"],
    ["is read before the policy fails", "current.exe; throw new Error('x');", "/current/exe"],
  ])("that %s: the decision is unknown", async (_, body, pointer) => {
    expect(await replayed(policy(body), [pointer])).toBe(`unknown: the masked ${pointer}`);
  });

  it.each([
    ["labels: tier=edge", LABEL],
    ["exe: /usr/bin/*", "/current/exe"],
    ["container: web", "/current/container/name"],
    ["uid: 0", "/current/uid"],
    ["comm: bpftool", "/current/comm"],
  ])("that the scope { %s } needs: the decision is unknown", async (rule, pointer) => {
    expect(await replayed(policy("return 0;"), [pointer], `, scope: { ${rule} }`)).toBe(
      `unknown: the masked ${pointer}`,
    );
  });

  it("is not needed by a scope that asks for something else", { tags: ["deep"] }, async () => {
    expect(await replayed(policy("return 0;"), [LABEL], ", scope: { container: true }")).toBe("same");
    expect(await replayed(policy("return 0;"), ["/current/exe"], ", scope: { labels: tier=edge }")).toBe("same");
  });

  it("may be needed if a policy that reaches its limit did not get as far", async () => {
    expect(await replayed(policy("for (;;);"), [LABEL])).toBe(`unknown: whether a policy reads the masked ${LABEL}`);
  });

  it("is restored as null where it was, and nowhere else", () => {
    const masked = MaskedValues.of([
      "/current/a/b",
      "/current/list/1",
      "/subject/x",
      "/current/no/where",
      "/current/a~1b",
    ]);
    const value = { a: { c: 1 }, list: [0, null] };
    expect(masked.restored("current", value)).toEqual({ a: { c: 1, b: null }, list: [0, null], "a/b": null });
    expect(value).toEqual({ a: { c: 1 }, list: [0, null] });
  });
});
