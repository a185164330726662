import { Attr, CREATE, FLAG } from "../call/attr.js";
import type { Answer, Call } from "../call/call.js";
import { CMD } from "../call/command.js";
import { createAttempt } from "../call/retries.js";
import { neededForMap } from "../load/needs.js";
import { type KernelMap, mapInfo } from "../sys/bpf.js";
import { namespaceScopeOf } from "../sys/credentials.js";
import { close } from "../sys/pidfd.js";
import { copyCreate } from "./create.js";
import { admitIfLong } from "./long-calls.js";
import { createdMap, liveMap } from "./map-subject.js";

/**
 * Decides on a copy of a BPF_MAP_CREATE, creates the map with the task's identity, and issues its fd if the created map
 * is allowed as well.
 */
export function createMap(call: Call): Answer {
  const given = call.attr(CREATE.size);
  if (!(given instanceof Attr)) return given;
  admitIfLong(call, "BPF_MAP_CREATE", given);
  const subject = createdMap(given);
  call.attempts(() => createAttempt(given));
  if (given.u32(CREATE.mapFlags) & FLAG.tokenFd) return call.deny("token", "bpf_map_create", subject, TOKEN);
  const create = copyCreate(call.task, given);
  if (typeof create === "number") return call.asKernel(create);
  if (!call.stillWaits) return "gone";

  const { listener, settings } = call;
  const noRoom = () => {
    if (listener.objects.hasRoom(create.memory, settings.mapMemory)) return null;
    const reason = `${create.memory} bytes of map memory are more than is left of ${settings.mapMemory}, or there are too many maps`;
    const answer = call.deny("map_memory", "bpf_map_create", subject, reason);
    return answer === "continue" ? null : answer;
  };
  const { wasDecided } = call;
  const full = wasDecided ? null : noRoom();
  if (full !== null) return full;
  const lacking = call.lacking(neededForMap(given.u32(CREATE.mapType)));
  const { verdict, delegated } = call.decide("bpf_map_create", subject, lacking);
  if (verdict < 0) return { result: verdict };
  const namespaces = namespaceScopeOf(given.u32(CREATE.mapIfindex));
  const fd = call.bpfAsTask(CMD.mapCreate, create.attr.bytes, create.held, namespaces, delegated ? lacking : 0n);
  if (fd < 0) return call.asKernel(fd);
  // check the quota again: other maps may have been created while another thread created this one
  const late = wasDecided ? noRoom() : null;
  if (late !== null) {
    close(fd);
    return late;
  }
  const info = mapInfo(fd);
  const refusal = typeof info === "number" ? { result: info } : judgeMap(call, info, fd, given.u32(CREATE.mapFlags));
  if (refusal !== null) {
    close(fd);
    return refusal;
  }
  return {
    fd,
    onIssued: () =>
      listener.objects.issueMap((info as KernelMap).id, {
        creator: call.task.tgid,
        memory: create.memory,
        exclusive: given.u64(CREATE.exclusiveHash) !== 0n,
      }),
  };
}

/**
 * Decides at `bpf_map` on a map whose fd is about to be issued. Returns the reply that denies it, or null if it is
 * allowed.
 */
export function judgeMap(call: Call, info: KernelMap, fd: number, flags: number): Answer | null {
  if (!call.serves("bpf_map")) return null;
  const access = flags & FLAG.readOnly ? "r" : flags & FLAG.writeOnly ? "w" : "rw";
  const { verdict } = call.decide("bpf_map", liveMap(info, fd, access));
  return verdict < 0 ? { result: verdict } : null;
}

const TOKEN = "a BPF token belongs to a user namespace that the gate cannot enter for the task";
