import { CMD } from "../../bpf/model/commands.js";
import { type KernelMap, mapInfo } from "../../sys/bpf.js";
import { mapTypes } from "../../sys/btf.js";
import { namespaceScopeOf } from "../../sys/credentials.js";
import type { IssuedFd } from "../call/answer.js";
import { bpfAsTask, readAttr } from "../call/as-task.js";
import { CREATE, FLAG } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { checked, reported } from "../call/failure.js";
import type { MapCreation } from "../call/issued-objects.js";
import { createAttempt } from "../call/retries.js";
import { copyCreate, type LiveCreate, OUTER } from "./objects/create.js";
import { mapDefinition } from "./objects/live-definition.js";
import { isLongCreate } from "./objects/long-calls.js";
import { createdMap, liveMap } from "./objects/map-subject.js";
import { neededForMap } from "./objects/required-capabilities.js";
import { replaceTokenFd } from "./objects/token-fd.js";

/**
 * Decides on a copy of a BPF_MAP_CREATE, creates the map with the task's identity, and issues its fd if the created map
 * is allowed as well.
 */
export function createMap(call: Call): IssuedFd {
  const given = readAttr(call, CREATE.size);
  const subject = createdMap(given);
  if (isLongCreate(subject)) call.task.admit();
  call.isAbout("bpf_map_create", subject);
  call.operation.attempts(() => createAttempt(given));
  const create = copyCreate(call.task, given, subject);
  if (given.u32(CREATE.mapFlags) & FLAG.tokenFd) replaceTokenFd(call, create.attr, CREATE.tokenFd);
  call.requireCaller();
  const { wasDecided } = call;
  if (!wasDecided) requireRoom(call, create);
  const missingCapabilities = call.grantable(neededForMap(given.u32(CREATE.mapType)));
  const { delegated } = call.decide("bpf_map_create", subject, missingCapabilities);
  const fd = call.task.adopt(createAsCaller(call, create, delegated ? missingCapabilities : 0n));
  // check the quota again: other maps may have been created while another thread created this one
  if (wasDecided) requireRoom(call, create);
  const info = reported(mapInfo(fd));
  decideMap(call, info, fd, given.u32(CREATE.mapFlags));
  const exclusive = given.u64(CREATE.exclusiveHash) !== 0n;
  const { memory } = create;
  const creation = { numaNode: given.u32(CREATE.numaNode), ...innerOf(create) };
  const { tgid: creator, process } = call.task;
  return { fd, issued: { id: info.id, entry: { creator, process, memory, exclusive, creation } } };
}

/** What is known of the map that a map of maps holds. */
function innerOf({ attr }: LiveCreate): Pick<MapCreation, "inner" | "innerBtfId"> {
  if (!OUTER.has(attr.u32(CREATE.mapType))) return { inner: null };
  const fd = attr.s32(CREATE.innerMapFd);
  const types = mapTypes(fd);
  const innerBtfId = typeof types === "number" ? 0 : types.btfId;
  return { inner: mapDefinition(fd), ...(innerBtfId === 0 ? {} : { innerBtfId }) };
}

/** Denies a map beyond the quota. In audit it is created nevertheless. */
function requireRoom(call: Call, { memory }: LiveCreate): void {
  const { mapMemory } = call.settings;
  if (call.listener.objects.hasRoom(memory, mapMemory)) return;
  const reason = `${memory} bytes of map memory are more than is left of ${mapMemory}, or there are too many maps`;
  call.denyUnlessAudit("map_memory", reason);
}

function createAsCaller(call: Call, { given, attr, held }: LiveCreate, granted: bigint): number {
  return checked(
    bpfAsTask(call, CMD.BPF_MAP_CREATE, attr.bytes, held, namespaceScopeOf(given.u32(CREATE.mapIfindex)), granted),
  );
}

/** Decides at `bpf_map` on a map whose fd is about to be issued. */
export function decideMap(call: Call, info: KernelMap, fd: number, flags: number): void {
  if (!call.serves("bpf_map")) return;
  const access = flags & FLAG.readOnly ? "r" : flags & FLAG.writeOnly ? "w" : "rw";
  call.decide("bpf_map", liveMap(info, fd, access));
}
