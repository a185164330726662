import { parse } from "../../bpf/assembly/assembly-lines.js";
import { writeObject } from "../../bpf/assembly/object-writer.js";
import type { CodeMap } from "../../bpf/model/code.js";
import type { MapFacts, ProgramSubject } from "../../bpf/model/facts.js";
import { type HookName, hookRow } from "../../hooks/catalogue.js";
import type { Condition } from "../solver/condition.js";
import type { Knowledge } from "../solver/solver.js";
import type { Input } from "../witness/input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import { assembleProgram, mapsLike } from "./program-object.js";
import { wantedMap } from "./wanted-map.js";

/** A file that `check` decides about. */
export interface WitnessFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * A file whose facts at a hook satisfy conditions as far as it can. `model` is an input of the model that satisfies
 * them, with the signatures that the file is to have. Returns null if there can be no such file.
 */
export function witnessFile(
  hook: HookName,
  conditions: readonly Condition[],
  model: Input,
  knowledge: Knowledge,
): WitnessFile | null {
  const unmet = (facts: object) => unmetBy({ ...model.subject, ...facts }, conditions, model, knowledge);
  switch (hookRow(hook).subject) {
    case "program": {
      const made = assembleProgram(model.subject as ProgramSubject, unmet);
      return made === null ? null : { name: OBJECT, bytes: made.bytes };
    }
    case "map":
      return { name: OBJECT, bytes: objectWith([wantedMap(model.subject as MapFacts, unmet)]) };
    case "command":
      return { name: OBJECT, bytes: objectWith(mapsLike([SOME_MAP])) };
    case "file":
    case "blob":
      return plainFile(model.subject as PlainFacts, unmet);
    case "token":
      return null;
  }
}

const OBJECT = "witness.o";

const SOME_MAP = { name: "some", type: "array", key_size: 4, value_size: 4, max_entries: 1, flags: 0 } as MapFacts;

/** An object with maps, and a program that does nothing. */
function objectWith(maps: readonly CodeMap[]): Buffer {
  return writeObject({ name: "witness", section: "xdp", license: "GPL", lines: parse("r0 = 2\nexit"), maps });
}

interface PlainFacts {
  readonly name: string | null;
  readonly data: Uint8Array;
}

/** A file of any contents: of the model's length if a condition is about that. */
function plainFile({ name, data }: PlainFacts, unmet: (facts: object) => readonly Condition[]): WitnessFile {
  const usual = Buffer.from("witness\n");
  const bytes = unmet({ data: usual }).length === 0 ? usual : data;
  return { name: name !== null && PLAIN_NAME.test(name) ? name : "witness.bin", bytes };
}

const PLAIN_NAME = /^\w[\w.-]{0,99}$/;

/** Values of a map have the name of their question, not that of the key, which depends on facts. */
function unmetBy(
  subject: object,
  conditions: readonly Condition[],
  model: Input,
  knowledge: Knowledge,
): readonly Condition[] {
  const modelled = new SymbolValues(model, knowledge);
  const input: Input = {
    subject,
    current: model.current,
    answer(origin, key) {
      return model.answer(origin, origin.kind === "lookup" ? modelled.textIfThere(origin.key) : key);
    },
  };
  const values = new SymbolValues(input, knowledge);
  return conditions.filter((condition) => !values.satisfy([condition]));
}
