import { CountersignError } from "../../../error.js";
import { type Removals, removalsOf, removeConfirmed } from "../../../loaded/detach.js";
import type { ObjectName } from "../../../loaded/model/references.js";
import type { View } from "../../../loaded/model/view.js";
import { EXIT } from "../../output/exit.js";
import { print, printError, printJson } from "../../output/output.js";
import { type NamedRemoval, namedRemovals, objectWords, removalLine, removalText } from "../../output/removal.js";

export interface DetachOptions {
  readonly at?: string;
  readonly tag?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** Says how an object can be detached, and with `yes` removes one attachment. */
export async function detach(object: ObjectName, { at, tag, yes, json }: DetachOptions): Promise<void> {
  const found = await removalsOf(object);
  if (tag !== undefined) requireTag(found, object, tag);
  const named = namedRemovals(found, object);
  const wanted = at === undefined ? named : named.filter(({ names }) => names.includes(at));
  if (wanted.length === 0) throw nothingThere(found, object, named, at);
  const [one, ...others] = wanted;
  if (yes !== true || one === undefined) {
    const isPossible = wanted.some(({ removal }) => removal.way !== null);
    for (const each of json === true ? wanted : []) printJson(removalLine(object, each, false));
    if (json !== true) print(removalText(found.scan, object, wanted));
    if (!isPossible) process.exitCode = EXIT.undecided;
    reportGaps(found.scan.views);
    return;
  }
  if (others.length > 0) throw several(object, wanted);
  const { removal, names } = one;
  const words = objectWords(found.scan, object);
  if (removal.way === null) throw impossible(words, one);
  const what = `${words} from ${names[0]} by ${removal.way}`;
  await removeConfirmed(found.scan, object, removal, `uid ${process.getuid?.()} pid ${process.pid} removes ${what}`);
  process.stderr.write(`countersign: removed ${what}; the kernel's log has a record of it\n`);
  if (json === true) printJson(removalLine(object, one, true));
  else for (const each of removal.consequences) print(each);
}

function requireTag({ scan }: Removals, { kind, id }: ObjectName, tag: string): void {
  const program = kind === "link" ? scan.links.find((one) => one.id === id)?.program : kind === "program" ? id : null;
  const its = scan.programs.find((one) => one.id === program)?.tag;
  if (its === tag) return;
  const message =
    its === undefined ? `${kind} ${id} has no program with a tag` : `program ${program} has the tag ${its}, not ${tag}`;
  throw notDetached(message, "scan again: ids name other objects after a boot");
}

function nothingThere({ scan }: Removals, object: ObjectName, named: readonly NamedRemoval[], at?: string): Error {
  const gaps = scan.views.filter(({ complete }) => !complete).map(({ name, reason }) => `${name}: ${reason}`);
  const unread = gaps.length === 0 ? "" : `; not everything could be read (${gaps.join("; ")})`;
  const words = objectWords(scan, object);
  if (at === undefined)
    return notDetached(
      `${words} is attached and pinned nowhere that the kernel shows${unread}`,
      "end the processes that hold it, as `countersign scan` names them",
    );
  const all = named.map(({ names }) => `\`${names[0]}\``).join(", ");
  return notDetached(
    `${words} is not at \`${at}\`${unread}`,
    all === "" ? "scan again" : `name a place where it is: ${all}`,
  );
}

function several(object: ObjectName, wanted: readonly NamedRemoval[]): Error {
  const all = wanted.map(({ names }) => `\`${names[0]}\``).join(", ");
  return new CountersignError("USAGE", `${object.kind} ${object.id} has ${wanted.length} attachments and pins`, {
    remedy: `name one after --at: ${all}`,
  });
}

function impossible(words: string, { removal, names, heldBy }: NamedRemoval): Error {
  const holders = heldBy === "" ? "what holds it" : heldBy;
  return notDetached(
    `${words} cannot be removed from ${names[0]}: ${removal.obstacle}`,
    `end or remove what holds it: ${holders}`,
  );
}

function notDetached(message: string, remedy: string): CountersignError {
  return new CountersignError("SCAN_NOT_DETACHED", message, { remedy });
}

function reportGaps(views: readonly View[]): void {
  for (const { name, reason } of views)
    if (reason !== null) printError(new CountersignError("SCAN_INCOMPLETE", reason, { place: `view of ${name}` }));
}
