import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const POLICY = `import { deny, hash, map_lookup } from "countersign";
export const blob_verify = (blob) => map_lookup("known", blob.name) === 1 ? 0 : deny("is not known");
export const bpf_prog_load = (prog, current) =>
  current.uid === 7 && hash("sha512", prog.insns) === "" ? 0 : prog.type === "xdp" ? 0 : deny(prog.name);`;
const OBJECT = "examples/calm-tcp.o";
const CONTAINER = { id: "c0", name: "web", labels: { tier: "edge" }, annotations: { a: "b" } };

/** A configuration with a log, and decisions about a blob by a container and about programs by root in it. */
async function recorded(log: string) {
  const maps = "maps: { known: { file: known.yaml } }";
  const place = new Workplace("  - { name: p, policy: p.js }\n", `${maps}\nlog: { file: d.jsonl, ${log} }`);
  place.write("p.js", POLICY);
  place.write("known.yaml", "one: 1\n");
  const engine = await Engine.open(readConfig(place.config, "check"));
  const blob = { name: "two", digest: "00".repeat(32), data: Buffer.from("x"), signature: null };
  const { id } = engine.decide({ hook: "blob_verify", subject: blob, current: task({ container: CONTAINER }) });
  const gate = engine.record({
    hook: "bpf_prog_load",
    subject: { name: "f", digest: "" },
    current: task({}),
    operation: null,
    denied_by: { attachment: null, verdict: -1, code: "DENIED_BY_GATE", rule: "frozen_maps", reason: "gate: no" },
  });
  engine.close();
  await runCommand("check", "--config", place.config, "--log", "--", OBJECT);
  const decisions = readFileSync(place.at("d.jsonl"), "utf8").trimEnd().split("\n");
  const program = decisions
    .map((line) => JSON.parse(line))
    .find(({ hook, answers }) => hook === "bpf_prog_load" && answers);
  const of = (id: string, ...more: string[]) =>
    runCommand("log", "--config", place.config, "--as-request", id, ...more);
  const check = (text: string, ...more: string[]) =>
    runCommand("check", "--config", place.config, "--request", place.write("r.jsonl", text), ...more);
  return { place, blob: id, gate: gate.id, program: program.id as string, of, check };
}

describe("log --as-request", () => {
  it("writes a request that policies answer as they did, with the bytes of log.programs", async () => {
    const { program, blob, of, check, place } = await recorded("level: inputs, programs: programs");
    mkdirSync(place.at("programs"), { recursive: true });
    const { out, err, code } = await of(program, "--as-request", blob, "--objects", place.at("programs"));
    const [first, second] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first.subject.definition).toMatch(/^[0-9a-f]{32}$/);
    expect(Object.keys(first.bytes)).toEqual([first.subject.facts.insns.sha256]);
    expect(second).toMatchObject({ hook: "blob_verify", current: { container: { ...CONTAINER, annotations: null } } });
    // The object's own file is in no folder
    expect(code).toBe(2);
    expect(err).toContain("lacks the bytes of `object.data`");
    expect(err).toContain("lacks the bytes of `data`");
    const asked = await check(out);
    expect(asked.out).toContain(`jsonl:1  ${first.subject.facts.name}  bpf_prog_load  denied -EPERM  p: `);
    expect(asked.out).toContain("jsonl:2  two  blob_verify  denied -EPERM  p: is not known");
    expect(asked).toMatchObject({ err: "", code: 1 });
  });

  it("finds bytes in folders, and check by their digest in log.programs", async () => {
    const { program, of, check, place } = await recorded("level: inputs, programs: programs");
    mkdirSync(place.at("objects"));
    copyFileSync(OBJECT, place.at("objects/a.o"));
    const { out, err, code } = await of(program, "--objects", place.at("objects"));
    expect([err, code]).toEqual(["", 0]);
    const request = JSON.parse(out);
    const { bytes: _, ...short } = request;
    const asUser = { ...short, current: { ...short.current, uid: 7 } };
    expect((await check(JSON.stringify(asUser))).out).toContain("denied -EPERM  p: ");
    expect(readdirSync(place.at("programs"))).toContain(request.subject.facts.insns.sha256);
  });

  it("has a policy that needs bytes which nobody has fail, also if it catches that", async () => {
    const { program, of, place } = await recorded("level: inputs");
    place.write(
      "p.js",
      `import { hash } from "countersign";
export function bpf_prog_load(prog) { try { hash("sha512", prog.insns); } catch { return 0; } return 0; }`,
    );
    const request = place.write("r.jsonl", (await of(program)).out);
    const { out, code } = await runCommand("check", "--config", place.config, "--request", request);
    expect(code).toBe(2);
    expect(out).toMatch(/^fault UNKNOWN_FACT: .* needs the bytes of `insns`, of which only the SHA-256 is known: /m);
  });

  it("has a policy that needs annotations which nobody had read fail", async () => {
    const { blob, of, place } = await recorded("level: inputs");
    place.write("p.js", "export const blob_verify = (_, { container }) => (container.annotations.a === 'b' ? 0 : -1);");
    const request = place.write("r.jsonl", (await of(blob)).out);
    const { out, code } = await runCommand("check", "--config", place.config, "--request", request);
    expect([code, out]).toEqual([2, expect.stringContaining("which the request lacks")]);
  });

  it.each([
    ["level: decision", "blob", "without the inputs: the record has `log.level: decision`", "level: inputs"],
    ["level: inputs", "gate", "the gate itself denied it, by its rule `frozen_maps`", "docs/run.md"],
    ["level: inputs, mask: [/subject/name]", "blob", "without the masked /subject/name", "log.mask"],
    ["level: inputs, mask: [/current/comm]", "blob", "without the masked /current/comm", "log.mask"],
  ] as const)("says with %s what a record of a %s lacks", async (log, which, message, remedy) => {
    const made = await recorded(log);
    const { out, err, code } = await made.of(made[which]);
    expect([out, code]).toEqual(["", 2]);
    expect(err).toContain(message);
    expect(err).toContain(remedy);
    expect(err).toContain("INPUTS_MISSING");
  });

  it("says that the definition of a subject was rotated away, and that no record has an id", async () => {
    const { place, blob } = await recorded("level: inputs");
    const lines = readFileSync(place.at("d.jsonl"), "utf8").split("\n");
    const without = place.write("w.jsonl", lines.filter((line) => !line.includes('"type":"subject"')).join("\n"));
    const { err, code } = await runCommand("log", "--as-request", blob, "--as-request", "0-1", without);
    expect(code).toBe(2);
    expect(err).toContain("without the subject, which is not in the log");
    expect(err).toContain("RECORD_NOT_FOUND");
  });
});
