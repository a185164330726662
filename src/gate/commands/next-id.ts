import { ERRNO } from "../../errno.js";
import { linkedProgramById, nextObjectId } from "../../sys/bpf.js";
import type { Answer } from "../call/answer.js";
import { bpfAsTask, readAttr } from "../call/as-task.js";
import { NEXT_ID } from "../call/attr.js";
import type { Call } from "../call/call.js";
import type { ListedKind } from "../call/command.js";
import { failWith } from "../call/failure.js";
import type { IssuedObjects } from "../call/issued-objects.js";

/**
 * BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID and BPF_LINK_GET_NEXT_ID: names the least id above `start_id` of an object
 * that the gate handed out to this container or command, or ENOENT. Tools that list objects open each id that they get,
 * and end at the first EPERM: so they see their own objects, and no id of another's. With `gate.existing: allow`, and
 * in audit, the kernel names all.
 */
export function nameNextId(call: Call, cmd: number, kind: ListedKind): Answer {
  if (call.settings.existing === "allow") return "continue";
  const attr = readAttr(call, NEXT_ID.size);
  if (call.isDryRun) return "continue";
  const start = attr.u32(NEXT_ID.startId);
  const { objects } = call.listener;
  if (kind === "link") call.task.admit();
  call.requireCaller();
  // the kernel's own checks, with the task's capabilities; it also answers at the end of all ids
  const result = bpfAsTask(call, cmd, attr.bytes);
  if (result < 0) return { result };
  const id = NEXT[kind](objects, start);
  if (id === null) failWith(ERRNO.ENOENT);
  call.task.write(call.long(1) + BigInt(NEXT_ID.nextId), new Uint8Array(Uint32Array.of(id).buffer));
  return { result: 0 };
}

/** The least id above the given one of an object that was issued; null for none. */
const NEXT: Readonly<Record<ListedKind, (objects: IssuedObjects, id: number) => number | null>> = {
  program: (objects, id) => objects.nextProgram(id),
  map: (objects, id) => objects.nextMap(id),
  link: nextLink,
};

/** Links are not remembered, and a link can get another program: the kernel is asked for the program of each. */
function nextLink(objects: IssuedObjects, start: number): number | null {
  for (let id = nextObjectId("link", start); id > 0; id = nextObjectId("link", id)) {
    // an errno, for a link that ended meanwhile, is the id of no program
    if (objects.program(linkedProgramById(id)) !== null) return id;
  }
  return null;
}
