import { COMMAND_FIELDS, TARGET_FIELDS } from "../../bpf/model/command-fields.js";
import { CMD, withCommandDigest } from "../../bpf/model/commands.js";
import type { CaseCommand } from "../../config/case-subject.js";
import { CountersignError } from "../../error.js";
import { isFactOf, type OwnedFields, object } from "../../fact-type.js";
import type { CommandSubject } from "../../hooks/command.js";
import { checkNames } from "./case-name.js";

const DOMAIN = object("Command", COMMAND_FIELDS).domain;

/**
 * The command of bpf(2) that a case describes, with the digest that a gate computes. Throws CONFIG_INVALID for a name
 * that does not exist, and for a fact that the command, or its attach target, has not.
 */
export function describedCommand(given: CaseCommand, place: string): CommandSubject {
  const { name, size, program, map, attach, run, path, btf } = given;
  const command = { name, digest: "", cmd: CMD[name], size, program, map, attach, run, path, btf };
  checkFacts("command", name, COMMAND_FIELDS, command, place);
  if (attach !== null) checkFacts("target", attach.target.kind, TARGET_FIELDS, attach.target, place);
  checkNames(DOMAIN, command, place);
  return withCommandDigest(command);
}

/** Throws CONFIG_INVALID for a fact that is not null although its owner does not have it. */
function checkFacts(what: string, owner: string, fields: OwnedFields, facts: object, place: string): void {
  for (const [name, field] of Object.entries(fields)) {
    if (isFactOf(field, owner) || (facts as Readonly<Record<string, unknown>>)[name] === null) continue;
    throw new CountersignError("CONFIG_INVALID", `${what} ${owner} has no fact \`${name}\``, {
      place,
      remedy: `leave it out; these have it: ${[field.of].flat().join(", ")}`,
    });
  }
}
