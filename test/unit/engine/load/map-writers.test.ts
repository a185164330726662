import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { type Commit, CommittedWrites } from "../../../../src/engine/handover/committed-writes.js";
import { ERRNO } from "../../../../src/errno.js";
import type { CountersignError } from "../../../../src/error.js";
import { readWritesLine, writesLine } from "../../../../src/gate/agent/fd-store/map-journal.js";
import type { AttachmentWrites } from "../../../../src/gate/messages/messages.js";
import { task } from "../../../task.js";

/** Writes a key, named in the subject, and says what came of it. */
const WRITES = `import { map_lookup, map_update, map_delete, note } from "countersign";
export function blob_verify(blob) {
  const [act, key] = blob.name.split(" ");
  note(String(act === "put" ? map_update("m", key, 1) : act === "cut" ? map_delete("m", key) : map_lookup("m", key)));
  return 0;
}`;
const READS = `import { map_lookup } from "countersign";
export const blob_verify = () => map_lookup("m", "k") === 2 ? -1 : 0;`;
/** Has no map's name in its text. */
const HIDES = WRITES.replaceAll('"m"', '"mm".slice(1)');
const IDLE = "export const blob_verify = () => 0;";
const POLICIES = { WRITES, READS, HIDES, IDLE };

type Attached = readonly [name: string, policy: keyof typeof POLICIES, domain: string, mode?: "audit"];

function config(attached: readonly Attached[], writers?: readonly string[], more: object = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  for (const [name, text] of Object.entries(POLICIES)) writeFileSync(join(folder, `${name}.js`), text);
  writeFileSync(join(folder, "m.json"), '{ "f0": 0, "f1": 0 }');
  const map = { writable: { entries: 4, bytes: 1000 }, ...(writers === undefined ? {} : { writers }), ...more };
  const attachments = attached.map(([name, policy, domain, mode = "enforce"]) => {
    return { name, policy: `${policy}.js`, domain, mode };
  });
  const file = join(folder, "c.yaml");
  writeFileSync(file, JSON.stringify({ version: 1, maps: { m: map }, attachments }));
  return file;
}

async function open(attached: readonly Attached[], writers?: readonly string[], more?: object): Promise<Engine> {
  return Engine.open(readConfig(config(attached, writers, more)));
}

async function rejected(attached: readonly Attached[], writers?: readonly string[], more?: object): Promise<string> {
  const error = (await open(attached, writers, more).then(
    () => null,
    (thrown) => thrown,
  )) as CountersignError | null;
  return error === null ? "accepted" : `${error.code}: ${error.message}; ${error.remedy}`;
}

const decide = (engine: Engine, act: string) =>
  engine.decide({
    hook: "blob_verify",
    subject: { name: act, digest: "", data: new Uint8Array(), signature: null },
    current: task(),
  });
/** What each attachment's helper answered. */
function answers(engine: Engine, act: string): Record<string, string> {
  return Object.fromEntries(
    decide(engine, act).answers.map(({ attachment, notes, fault }) => [attachment, fault?.code ?? notes[0] ?? ""]),
  );
}

const EPERM = String(-ERRNO.EPERM);

describe("without `writers` a map", () => {
  const CASES: readonly [title: string, attached: readonly Attached[], expected: Record<string, string> | RegExp][] = [
    ["belongs to the only domain", [["w", "WRITES", "a"]], { w: "0" }],
    [
      "belongs to the domain that names it",
      [
        ["w", "WRITES", "a"],
        ["i", "IDLE", "b"],
      ],
      { w: "0", i: "" },
    ],
    [
      "belongs to all of that domain",
      [
        ["w", "WRITES", "a"],
        ["h", "HIDES", "a"],
        ["i", "IDLE", "b"],
      ],
      { w: "0", h: "0", i: "" },
    ],
    [
      "is not written by a name that another domain makes at run time",
      [
        ["w", "WRITES", "a"],
        ["h", "HIDES", "b"],
      ],
      { w: "0", h: EPERM },
    ],
    ["is written by such a name in the only domain", [["h", "HIDES", "a"]], { h: "0" }],
    [
      "has no writer where no policy of several domains names it",
      [
        ["h", "HIDES", "a"],
        ["i", "IDLE", "b"],
      ],
      { h: EPERM, i: "" },
    ],
    [
      "has no owner where two domains write",
      [
        ["w", "WRITES", "a"],
        ["v", "WRITES", "b"],
      ],
      /domains `a`, `b`/,
    ],
    [
      "has no owner where another domain reads",
      [
        ["w", "WRITES", "a"],
        ["r", "READS", "b"],
      ],
      /domains `a`, `b`/,
    ],
    [
      "has no owner where another domain audits",
      [
        ["w", "WRITES", "a"],
        ["v", "WRITES", "b", "audit"],
      ],
      /domains `a`, `b`/,
    ],
  ];
  for (const [title, attached, expected] of CASES)
    it(title, async () => {
      if (expected instanceof RegExp) expect(await rejected(attached)).toMatch(expected);
      else expect(answers(await open(attached), "put k")).toEqual(expected);
    });

  it("can be read by several domains where it is not writable", async () => {
    const attached: Attached[] = [
      ["r", "READS", "a"],
      ["s", "READS", "b"],
    ];
    expect(await rejected(attached, undefined, { writable: undefined, file: "m.json" })).toBe("accepted");
  });
});

describe("with `writers` a map", () => {
  const ALL: readonly Attached[] = [
    ["owner", "WRITES", "a"],
    ["owner2", "HIDES", "a"],
    ["listed", "WRITES", "b"],
    ["other", "HIDES", "b"],
    ["audited", "WRITES", "c", "audit"],
  ];
  const WRITERS: readonly [writers: readonly string[], writing: readonly string[]][] = [
    [["a"], ["owner", "owner2"]],
    [["owner"], ["owner"]],
    [
      ["a", "listed"],
      ["owner", "owner2", "listed"],
    ],
    [["b"], ["listed", "other"]],
    [["c"], ["audited"]],
    [
      ["owner", "a"],
      ["owner", "owner2"],
    ],
  ];
  for (const [writers, writing] of WRITERS)
    it(`is written by ${writing.join(", ")} and read by all where they are ${writers.join(", ")}`, async () => {
      const engine = await open(ALL, writers);
      for (const [act, done] of [
        ["put k", "0"],
        ["cut k", "0"],
        ["cut none", String(-ERRNO.ENOENT)],
      ] as const) {
        const expected = ALL.map(([name]) => [name, writing.includes(name) ? done : EPERM]);
        expect(answers(engine, act), act).toEqual(Object.fromEntries(expected));
      }
      expect(Object.values(answers(engine, "get k"))).toEqual(ALL.map(() => "undefined"));
    });

  it("warns of each literal write that is never done", async () => {
    const engine = await open(ALL, ["a"]);
    const told = engine.warnings
      .filter(({ code }) => code === "MAP_WRITE_DENIED")
      .map(({ message, place }) => [message, place]);
    const why = "on the map `m`, which does not have";
    expect(told).toEqual(
      ["listed", "audited"].flatMap((name) =>
        ["map_update", "map_delete"].map((helper) => [
          `\`${name}\` calls ${helper} ${why} \`${name}\` or its domain in \`writers\`: the call returns -EPERM`,
          expect.stringMatching(/^WRITES\.js:4:\d+$/),
        ]),
      ),
    );
    const reading = await open([["w", "WRITES", "a"]], undefined, { writable: undefined, file: "m.json" });
    expect(reading.warnings.map(({ code, message }) => `${code} ${message}`)[0]).toMatch(
      /^MAP_WRITE_DENIED .*which is not writable: the call returns -EPERM$/,
    );
  });

  const WRONG: readonly [
    title: string,
    attached: readonly Attached[],
    writers: readonly string[],
    more: object,
    message: RegExp,
  ][] = [
    ["nobody", ALL, [], {}, /is empty/],
    [
      "a name that nothing has",
      ALL,
      ["owne"],
      {},
      /`owne` is neither an attachment nor a domain \(did you mean `owner`\?\)/,
    ],
    ["a name twice", ALL, ["a", "a"], {}, /`a` is listed twice/],
    [
      "an attachment with the name of another's domain",
      [...ALL, ["a", "IDLE", "z"]],
      ["a"],
      {},
      /`a` is the name of an attachment and also the domain of other attachments/,
    ],
    [
      "a map that is not writable",
      ALL,
      ["a"],
      { writable: undefined, file: "m.json" },
      /has `writers`, but is not `writable`/,
    ],
    [
      "more writers than entries",
      ALL,
      ["a", "b", "c"],
      { writable: { entries: 2, bytes: 100 } },
      /is too small to be divided among 3 writers/,
    ],
  ];
  for (const [title, attached, writers, more, message] of WRONG)
    it(`rejects ${title}`, async () => {
      const text = await rejected(attached, writers, more);
      expect(text).toMatch(/^CONFIG_INVALID: /);
      expect(text).toMatch(message);
    });

  it("takes an attachment that is alone in a domain of its name", async () => {
    expect(answers(await open([["a", "WRITES", "a"]], ["a"]), "put k")).toEqual({ a: "0" });
  });
});

describe("writes that are restored", () => {
  const TWO: readonly Attached[] = [
    ["owner", "WRITES", "a"],
    ["listed", "HIDES", "b"],
  ];
  /** The committed writes of the decisions of two engines. */
  function written(engine: Engine, acts: readonly string[]): readonly Commit[] {
    const committed = new CommittedWrites();
    for (const act of acts) committed.record(decide(engine, act));
    return committed.commits();
  }
  const keys = (engine: Engine) =>
    ["f0", "f1", "k0", "k1", "k2", "k3"].filter((key) => answers(engine, `get ${key}`).owner !== "undefined");

  it("count against the writer that made them, in an engine after this one", { tags: ["deep"] }, async () => {
    const before = await open(TWO, ["owner", "b"]);
    // each of the two is asked in each decision: the last one to write a key has it
    const commits = written(before, ["put k0", "put k1"]);
    const after = await open(TWO, ["owner", "b"]);
    after.restore(commits);
    expect(keys(after)).toEqual(["k0", "k1"]);
    expect(answers(after, "put k2")).toEqual(answers(before, "put k2"));
    expect(answers(after, "put k3")).toEqual(answers(before, "put k3"));
    expect(answers(after, "put k3").listed).toBe(String(-ERRNO.E2BIG));
  });

  it("are all there in whatever order they come, if the map is full and began with a file", {
    tags: ["deep"],
  }, async () => {
    const one: readonly Attached[] = [["owner", "WRITES", "a"]];
    const before = await open(one, undefined, { file: "m.json" });
    const commits = written(before, ["put k0", "put k1", "cut f0", "put k2"]);
    expect(answers(before, "put k3")).toEqual({ owner: String(-ERRNO.E2BIG) });
    for (const order of [commits, commits.toReversed()]) {
      const after = await open(one, undefined, { file: "m.json" });
      after.restore(order);
      expect(keys(after)).toEqual(["f1", "k0", "k1", "k2"]);
      expect(answers(after, "put k3")).toEqual({ owner: String(-ERRNO.E2BIG) });
    }
  });

  it("come back whole from an agent's journal, with their writers", { tags: ["deep"] }, async () => {
    const before = await open(TWO, ["owner", "b"]);
    const lines = written(before, ["put k0", "put k1"]).map((commit) => writesLine({ ...commit, mode: "enforce" }));
    const committed = new CommittedWrites();
    committed.record({ answers: lines.map((line) => readWritesLine(line) as AttachmentWrites) });
    const after = await open(TWO, ["owner", "b"]);
    after.restore(committed.commits());
    expect(keys(after)).toEqual(["k0", "k1"]);
    for (const act of ["put k2", "put k3", "cut k0", "put k3"])
      expect(answers(after, act)).toEqual(answers(before, act));
  });

  const CHANGED: readonly [title: string, writers: readonly string[], writable: object][] = [
    ["a smaller map", ["owner", "b"], { entries: 2, bytes: 1000 }],
    ["fewer bytes", ["owner", "b"], { entries: 4, bytes: 10 }],
    ["a writer less", ["owner"], { entries: 4, bytes: 1000 }],
  ];
  for (const [title, writers, writable] of CHANGED)
    it(`leave a map as it begins where the configuration has ${title}`, { tags: ["deep"] }, async () => {
      const before = await open(TWO, ["owner", "b"]);
      const commits = written(before, ["put k0", "put k1"]);
      const after = await open(TWO, writers, { writable });
      after.restore(commits);
      expect(keys(after)).toEqual([]);
    });

  it("of an attachment in audit come back for it alone", { tags: ["deep"] }, async () => {
    const attached: readonly Attached[] = [
      ["owner", "WRITES", "a"],
      ["listed", "HIDES", "b", "audit"],
    ];
    const before = await open(attached, ["b"]);
    const commits = written(before, ["put k0"]);
    const after = await open(attached, ["b"]);
    after.restore(commits);
    expect(answers(after, "get k0")).toEqual({ owner: "undefined", listed: "1" });
    const smaller = await open(attached, ["a"]);
    smaller.restore(commits);
    expect(answers(smaller, "get k0")).toEqual({ owner: "undefined", listed: "undefined" });
  });
});
