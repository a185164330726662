/**
 * Decisions of a real engine about real subjects with real signatures, recorded with all inputs, and their explanation.
 */
import { readFileSync } from "node:fs";
import { factsOfObject } from "../../src/bpf/object.js";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/decision/engine.js";
import { decideFile } from "../../src/engine/file-decisions.js";
import { ERRNO } from "../../src/errno.js";
import { GateDecisions } from "../../src/gate/decisions/gate-decisions.js";
import type { MapSubject } from "../../src/hooks/subject.js";
import { type ReadLine, RecordReader } from "../../src/log/record-reader.js";
import type { Current } from "../../src/policy/model/current.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { explain } from "../../src/workbench/explain/explain.js";
import type { Explanation } from "../../src/workbench/explain/explanation.js";
import { task } from "../task.js";
import { own, Workplace } from "./workplace.js";

export const DATA = Buffer.from("firmware");

/** What one denial is made of. */
export interface Denied {
  /** The files of policies by name; a text alone is `policy.js`. */
  readonly policy: string | Readonly<Record<string, string>>;
  /** The configuration after its keyrings. */
  readonly config?: string;
  readonly attachments?: string;
  readonly current?: Partial<Current>;
  readonly time?: number;
  /** Asks something else than about a blob without a signature. */
  readonly ask?: (place: Workplace, engine: Engine, current: Current) => void | Promise<void>;
  /** Prepares the folder before the engine is opened. */
  readonly prepare?: (place: Workplace) => void;
}

/** The lines of the log of one decision. */
export async function recordDenial(denied: Denied): Promise<{ place: Workplace; lines: readonly string[] }> {
  const { policy, config = "", current, ask = askBlob(null), prepare } = denied;
  const attachments = denied.attachments ?? "  - { name: a, policy: policy.js, limits: { timeout: 5s } }\n";
  const place = new Workplace(attachments, `log: { file: decisions.jsonl, level: inputs }\n${config}`);
  const files = typeof policy === "string" ? { "policy.js": policy } : policy;
  for (const [name, text] of Object.entries(files)) place.write(name, text);
  prepare?.(place);
  const engine = await Engine.open(readConfig(place.config, "check"));
  await ask(place, engine, task(current));
  engine.close();
  return { place, lines: readFileSync(place.at("decisions.jsonl"), "utf8").trimEnd().split("\n") };
}

/** The last decision of a log with its definitions. */
export function lastDecision(lines: readonly string[]): { line: ReadLine; reader: RecordReader } {
  const reader = new RecordReader();
  let last: ReadLine | null = null;
  for (const line of lines) {
    const read = reader.read(line);
    if (read.record?.type === "decision") last = read;
  }
  return { line: last!, reader };
}

export async function explainedDenial(denied: Denied): Promise<Explanation> {
  const { line, reader } = lastDecision((await recordDenial(denied)).lines);
  return explain(line, reader);
}

/** Asks whether a blob may be used; `signed` makes its signature. */
export function askBlob(signed: ((place: Workplace) => Uint8Array) | null, time?: number): NonNullable<Denied["ask"]> {
  return (place, engine, current) => {
    const signature = signed?.(place) ?? null;
    const subject = { name: "blob", digest: "00".repeat(32), data: DATA, signature };
    engine.decide({ hook: "blob_verify", subject, current, time });
  };
}

/** Asks about the programs of an example, or of a changed one. */
export function askProgram(
  name: string,
  change: (object: Buffer) => Uint8Array = (object) => object,
): NonNullable<Denied["ask"]> {
  return async (place, engine, current) => {
    const path = place.write("object.o", change(readFileSync(own(`examples/${name}.o`))));
    const decides = {
      ...methods(engine),
      decide: async (request: Parameters<Engine["decide"]>[0]) => engine.decide(request),
    };
    await decideFile(decides as never, path, { current });
  };
}

function methods({ signatures, statements, serves }: Engine): object {
  return { signatures, statements, serves };
}

/** An object whose first program has another constant than before. */
export function otherConstant(object: Buffer): Uint8Array {
  const { insns } = factsOfObject(object).programs[0]!;
  const changed = Buffer.from(object);
  for (let insn = 0; insn < insns.length; insn += 8) {
    // Instructions of the file are not relocated
    const at = changed.indexOf(insns.subarray(insn, insn + 16));
    // BPF_ALU64 | BPF_MOV | BPF_K: dst = imm
    if (insns[insn] !== 0xb7 || at === -1) continue;
    changed[at + 4]! ^= 1;
    return changed;
  }
  throw new Error("the program has no constant");
}

export const signBy =
  (issue: (place: Workplace) => Parameters<typeof signPkcs7>[1], data: Uint8Array = DATA) =>
  (place: Workplace): Uint8Array =>
    signPkcs7(data, issue(place));

export const stranger = Authority.create({ subject: "Stranger" });

/** The gate itself denies, without asking a policy. */
export const askGate: NonNullable<Denied["ask"]> = (_, engine, current) => {
  const gate = new GateDecisions(
    engine,
    () => {},
    () => [],
  );
  const denial = { verdict: -ERRNO.ENOENT, rule: "existing", reason: "the gate never handed out this map" };
  const subject = { name: "old", digest: "cd".repeat(32), id: 7 };
  gate.record({ current, operation: "a5", hook: "bpf_map", subject, denial, probe: null });
};

export const askMap =
  (name: string): NonNullable<Denied["ask"]> =>
  (_, engine, current) => {
    const subject = { name, digest: "ab".repeat(32) } as MapSubject;
    engine.decide({ hook: "bpf_map_create", subject, current });
  };
