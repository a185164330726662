import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const POLICY = `import { deny, map_lookup } from "countersign";
export const blob_verify = (blob) => map_lookup("known", blob.name) === 1 ? 0 : deny("is not known");`;
const CONFIG = (log: string) => `maps: { known: { file: known.yaml } }\nlog: { file: decisions.jsonl, ${log} }`;
const NAMES = ["one", "two", "three"];

/** A log of decisions about blobs, of which one is denied. */
async function recorded(log: string, policy = POLICY): Promise<Workplace> {
  const place = new Workplace("  - { name: blobs, policy: policy.js, limits: { timeout: 5s } }\n", CONFIG(log));
  place.write("policy.js", policy);
  place.write("known.yaml", "one: 1\ntwo: 1\n");
  const engine = await Engine.open(readConfig(place.config, "check"));
  for (const name of NAMES)
    engine.decide({
      hook: "blob_verify",
      subject: { name, digest: "00".repeat(32), data: Buffer.from(name), signature: null },
      current: task(name === "two" ? { container: CONTAINER } : {}),
    });
  engine.close();
  return place;
}

const CONTAINER = { id: "c0", name: "web", labels: { tier: "edge" }, annotations: {} };
const EDGE = " in a container (tier=edge)";
let place: Workplace;
let lines: readonly string[];
let denied: string;
beforeAll(async () => {
  place = await recorded("level: inputs");
  lines = readFileSync(place.at("decisions.jsonl"), "utf8").trimEnd().split("\n");
  denied = JSON.parse(lines.at(-1)!).id;
});

const replay = (...words: string[]) => runCommand("replay", ...words);
const log = () => place.at("decisions.jsonl");
/** A log with these lines. */
const logOf = (name: string, given: readonly string[]) => place.write(name, given.map((line) => `${line}\n`).join(""));
/** Writes the same configuration, changed, with another policy. */
function changed(name: string, change: (config: string) => string, policy = POLICY): string {
  place.write(`${name}.js`, policy);
  return place.write(`${name}.yaml`, change(readFileSync(place.config, "utf8").replace("policy.js", `${name}.js`)));
}
const idOf = (index: number) =>
  lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "decision")[index].id;

describe("countersign replay", () => {
  it("exits with 0 if every decision is the same", { tags: ["deep"] }, async () => {
    const same = { code: 0, out: "3 the same, 0 different, 0 unknown\n", err: "" };
    expect(await replay(log())).toEqual(same);
    expect(await replay("--config", place.config)).toEqual(same);
    expect(await replay("--with", place.config, log())).toEqual(same);
  });

  it("exits with 1 if a decision changes, and says which", async () => {
    const other = changed("strict", (config) => config, POLICY.replace('"is not known"', '"may not be loaded"'));
    expect(await replay("--with", other, log())).toEqual({
      code: 1,
      out:
        "2 the same, 1 different, 0 unknown\n" +
        `1 × \`three\`: the reason \`blobs: is not known\` becomes \`blobs: may not be loaded\` [${denied}]\n`,
      err: "",
    });
  });

  it.each([
    ["an empty log", () => []],
    ["a log without a decision", () => lines.filter((line) => JSON.parse(line).type !== "decision")],
  ])("exits with 2 for %s", async (_, given) => {
    const empty = logOf("empty.jsonl", given());
    const { code, out, err } = await replay(empty);
    expect([code, out]).toEqual([2, "0 the same, 0 different, 0 unknown\n"]);
    expect(err).toContain("has no decision [LOG_EMPTY]");
    expect((await replay("--json", empty)).code).toBe(2);
  });

  it("exits with 2 for a record about another subject than its definition says", async () => {
    const renamed = lines.map((line) => line.replace('"subject":{"name":"three"', '"subject":{"name":"one"'));
    const { code, out, err } = await replay(logOf("renamed.jsonl", renamed));
    expect([code, out.split("\n")[0]]).toEqual([2, "2 the same, 0 different, 1 unknown"]);
    expect(err).toContain("is a decision about another subject than its definition says");
  });

  it("exits with 2 for a record whose subject is of another kind than its hook's", async () => {
    const other = lines.map((line) => line.replace('"hook":"blob_verify"', '"hook":"bpf_map_create"'));
    const { code, out } = await replay(logOf("kinds.jsonl", other));
    expect([code, out.split("\n")[0]]).toEqual([2, "0 the same, 0 different, 3 unknown"]);
    expect(out).toContain("that of hook bpf_map_create is no blob");
  });

  it("exits with 2 if a decision is unknown and none changes, and names what is missing", async () => {
    const policy = POLICY.replace("=> ", '=> blob.name === "two" && hash("sha512", blob.data) === "" ? 0 : ');
    const other = changed("hashing", (config) => config, policy.replace("{ deny", "{ hash, deny"));
    expect(await replay("--with", other, log())).toEqual({
      code: 2,
      out:
        "2 the same, 0 different, 1 unknown\n" +
        `1 × \`two\`${EDGE}: unknown without the sha512 of \`data\` [${idOf(1)}]\n`,
      err: "",
    });
  });

  it("writes counts and groups with --json", async () => {
    const other = changed("fewer", (config) => config.replace("known.yaml", "none.yaml"));
    place.write("none.yaml", "{}\n");
    const { code, out } = await replay("--json", "--with", other, log());
    const group = { result: "different", attachment: "blobs", count: 1 };
    expect([code, JSON.parse(out)]).toEqual([
      1,
      {
        ...{ same: 1, different: 2, unknown: 0, unasked: 0 },
        groups: [
          { ...group, because: "0 becomes -EPERM", labels: null, subject: "one", ids: [idOf(0)] },
          { ...group, because: "0 becomes -EPERM", labels: "tier=edge", subject: "two", ids: [idOf(1)] },
        ],
      },
    ]);
  });

  it("names a cut line, and replays the rest", async () => {
    const at = lines.length - 1;
    const cut = logOf("cut.jsonl", [...lines.slice(0, at), lines[at]!.slice(0, -9)]);
    const { code, out, err } = await replay(cut);
    expect([code, out]).toEqual([2, "2 the same, 0 different, 0 unknown\n"]);
    expect(err).toContain(`${cut}:${lines.length}: is cut off or damaged: it is not valid JSON [LOG_DAMAGED]`);
  });

  it("replays a record that follows an incomplete one in its line", async () => {
    const joined = logOf("joined.jsonl", [...lines.slice(0, -1), `${lines.at(-1)!.slice(0, 99)}${lines.at(-1)}`]);
    const { code, out, err } = await replay(joined);
    expect([code, out]).toEqual([2, "3 the same, 0 different, 0 unknown\n"]);
    expect(err).toContain(`${joined}:${lines.length}: is cut off`);
  });

  it("names a definition that was changed, and replays what does not need it", { tags: ["deep"] }, async () => {
    const at = lines.findIndex((line) => line.includes('"facts":{"name":"two"'));
    const line = lines[at]!.replace('"facts":{"name":"two"', '"facts":{"name":"one"');
    const { code, out, err } = await replay(logOf("changed.jsonl", lines.with(at, line)));
    expect([code, out]).toEqual([
      2,
      `2 the same, 0 different, 1 unknown\n1 × \`two\`${EDGE}: unknown without the subject, which is not in the log [${idOf(1)}]\n`,
    ]);
    expect(err).toMatch(/changed\.jsonl:\d+: is a definition whose content does not have its digest/);
  });

  it("names a decision that is there twice", async () => {
    const { code, out, err } = await replay(logOf("twice.jsonl", [...lines, lines.at(-1)!]));
    expect([code, out]).toEqual([2, "4 the same, 0 different, 0 unknown\n"]);
    expect(err).toContain(`twice.jsonl:${lines.length + 1}: has the id of an earlier decision [LOG_DAMAGED]`);
  });

  it("says that a log of level `decision` cannot be replayed, and that there is no log", async () => {
    const plain = await recorded("level: decision");
    const { code, out } = await replay(plain.at("decisions.jsonl"));
    expect([code, out.split("\n")[0]]).toEqual([2, "0 the same, 0 different, 3 unknown"]);
    expect(out).toContain("unknown without the inputs: the record has `log.level: decision`");
    expect(await replay(place.at("none"))).toMatchObject({ code: 2, err: expect.stringContaining("FILE_UNREADABLE") });
  });

  it("says that the text of a policy was too long for the log, and replays by the files", {
    tags: ["deep"],
  }, async () => {
    const large = await recorded("level: inputs, rotate: 128KiB", `${POLICY}\n// ${"x".repeat(70_000)}`);
    const file = large.at("decisions.jsonl");
    const { code, out } = await replay(file);
    expect([code, out.split("\n")[0]]).toEqual([2, "0 the same, 0 different, 3 unknown"]);
    expect(out).toContain("unknown without the text of policy `policy.js`, which was too long for the log");
    expect(await replay("--with", large.config, file)).toMatchObject({ code: 0 });
  });
});
