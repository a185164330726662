import { COMMAND_FIELDS, NO_ATTR_FACTS } from "../../../bpf/model/command-fields.js";
import { withCommandDigest } from "../../../bpf/model/commands.js";
import type { CommandSubject } from "../../../hooks/command.js";
import { LruCache } from "../../../lru-cache.js";
import type { Call } from "../../call/call.js";
import type { CommandFacts, Plan } from "./copied-command.js";
import type { Copy } from "./copy.js";
import type { Held } from "./held.js";
import { withOwnFacts } from "./own-facts.js";
import type { Resolved } from "./target.js";
import { targetFacts } from "./target-facts.js";

/**
 * Subjects by all of their facts. The sandbox reuses what it built for an object that it has seen; building a new one
 * takes far longer.
 */
const known = new LruCache<string, CommandSubject>(1024);
/** Longest key that is cached, in characters. */
const MAX_LENGTH = 4096;

function remembered(key: string, make: () => CommandSubject): CommandSubject {
  let subject = known.get(key);
  if (subject === undefined) {
    subject = frozen(make());
    if (key.length <= MAX_LENGTH) known.set(key, subject);
  }
  return subject;
}

/** Freezes an object and all objects in it. */
function frozen<T extends object>(facts: T): T {
  for (const value of Object.values(facts)) if (typeof value === "object" && value !== null) frozen(value);
  return Object.freeze(facts);
}

/** Returns the subject of a command of which only the registers are known. Equal registers return the same object. */
export function registersOf(name: string, cmd: number, size: number): CommandSubject {
  return remembered(`${cmd} ${size}`, () => withCommandDigest({ name, digest: "", cmd, size, ...NO_ATTR_FACTS }));
}

/** Returns the subject of a command of which the registers and a path are known. */
export function pathCommand(name: string, cmd: number, size: number, path: string): CommandSubject {
  return digested({ name, digest: "", cmd, size, ...NO_ATTR_FACTS, path });
}

/** Returns the subject of a copied command. `object` is the program, map or link that the command uses. */
export function copiedCommand(
  call: Call,
  name: string,
  facts: CommandFacts | undefined,
  copy: Copy,
  object: Held | null,
  { target, targetAt }: Pick<Plan, "target" | "targetAt">,
  resolved: Resolved,
): CommandSubject {
  const attachedTo = target === null ? null : targetFacts(call, copy, target, targetAt, object, resolved);
  const subject: CommandSubject = {
    ...{ name, digest: "", cmd: call.word(0), size: call.word(2), ...NO_ATTR_FACTS },
    program: object?.program ?? null,
    map: object?.map ?? null,
    path: target === null ? (resolved.path ?? null) : null,
    ...facts?.(copy, attachedTo, object),
  };
  return digested(withOwnFacts(COMMAND_FIELDS, name, subject));
}

function digested(subject: CommandSubject): CommandSubject {
  const text = JSON.stringify(subject);
  return remembered(text, () => withCommandDigest(subject, text));
}
