/**
 * Struct guard_ticket of src/seal/guard/interface.h from an entry of a list: the gate (src/gate/commands/prog-load)
 * makes tickets from live loads, and tests compare the two.
 */
import { createHash } from "node:crypto";
import {
  encodeMaps,
  type ListEntry,
  MAP,
  type ProgramMaps,
  RECORD_SIZE,
  REFERENCES_SIZE,
} from "../../src/seal/list/list-entry.js";

/** Fields are those of the load, as the kernel has them. */
export interface Ticket extends Omit<ListEntry, "maps"> {
  /** Id of the program to which attachBtfId refers; 0 for the kernel or a module. */
  readonly attachProgId: number;
  /** Id of a module's BTF to which attachBtfId refers; 0 for that of vmlinux or of a program. */
  readonly attachBtfObjId: number;
  /** The thread that will make the load, in the first pid namespace; 0: the thread that writes the ticket. */
  readonly tid: number;
  /** Nanoseconds of CLOCK_BOOTTIME, at most {@link TICKET_LIFETIME} ahead. */
  readonly deadline: bigint;
  /** See {@link mapsDigest}. */
  readonly maps: string;
}

/** GUARD_COMMAND_TICKET. */
export const TICKET_COMMAND = 0x6705;
/** GUARD_TICKETS: how many tickets are outstanding at most. */
export const MAX_TICKETS = 64;
/** GUARD_TICKET_LIFETIME, in nanoseconds. */
export const TICKET_LIFETIME = 60_000_000_000n;
/** GUARD_TICKET_WITHDRAW. */
export const TICKET_WITHDRAW = 1;

/** Byte offsets in struct guard_ticket. */
export const TICKET = {
  digest: 0,
  prog_type: 32,
  expected_attach_type: 36,
  attach_btf_id: 40,
  prog_flags: 44,
  gpl_compatible: 48,
  attach_prog_id: 52,
  attach_btf_obj_id: 56,
  tid: 60,
  deadline: 64,
  maps: 72,
  flags: 104,
  reserved: 108,
} as const;
export const TICKET_SIZE = 112;

export function encodeTicket(ticket: Ticket): Buffer {
  const bytes = Buffer.alloc(TICKET_SIZE);
  bytes.write(ticket.digest, TICKET.digest, "hex");
  bytes.writeUInt32LE(ticket.progType, TICKET.prog_type);
  bytes.writeUInt32LE(ticket.expectedAttachType, TICKET.expected_attach_type);
  bytes.writeUInt32LE(ticket.attachBtfId, TICKET.attach_btf_id);
  bytes.writeUInt32LE(ticket.progFlags, TICKET.prog_flags);
  bytes.writeUInt32LE(ticket.gplCompatible ? 1 : 0, TICKET.gpl_compatible);
  bytes.writeUInt32LE(ticket.attachProgId, TICKET.attach_prog_id);
  bytes.writeUInt32LE(ticket.attachBtfObjId, TICKET.attach_btf_obj_id);
  bytes.writeUInt32LE(ticket.tid, TICKET.tid);
  bytes.writeBigUInt64LE(ticket.deadline, TICKET.deadline);
  bytes.write(ticket.maps, TICKET.maps, "hex");
  return bytes;
}

const REFERENCES_BLOCK = 64;
const DESCRIPTION_BLOCK = 128;

/**
 * The digest of a program's maps, in hex: SHA-256 over its references, and over the description of each map without its
 * settings. Zero if its instructions refer to no map. Numbers of the maps are the kernel's own, none is left open, and
 * `contents` is the SHA-256 of the whole value where the map is an array of one element that is frozen and has
 * BPF_F_RDONLY_PROG; otherwise null.
 */
export function mapsDigest(maps: ProgramMaps): string {
  if (maps.maps.length === 0) return "00".repeat(32);
  const hash = createHash("sha256");
  const records = encodeMaps(maps);
  hash.update(padded(records.subarray(0, REFERENCES_SIZE), REFERENCES_BLOCK));
  for (let at = RECORD_SIZE; at < records.length; at += RECORD_SIZE)
    hash.update(padded(records.subarray(at, at + MAP.settings), DESCRIPTION_BLOCK));
  return hash.digest("hex");
}

function padded(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes], size);
}
