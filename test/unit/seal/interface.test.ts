/** The numbers that src/seal has in common with the guard are those of guard/interface.h. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CLASS,
  CLASS_ROWS,
  CLASS_SIZE,
  CLASSES,
  CLASSES_MAP,
  CLASSES_SIZE,
} from "../../../src/seal/classes/class-table.js";
import { CANARY_VALUE } from "../../../src/seal/guard/canary.js";
import {
  ENTRY,
  ENTRY_SIZE,
  KEY_SIZE,
  MAP,
  MAX_ALTERNATIVES,
  MAX_MAPS,
  MAX_SETTINGS,
  RECORD_SIZE,
  REFERENCES,
  REFERENCES_SIZE,
} from "../../../src/seal/list/list-entry.js";
import { GUARD_VERSION } from "../../../src/seal/list/list-header.js";
import { OPEN_UNTIL_LOCK } from "../../../src/seal/sealing.js";
import { EVENT_HOOKS } from "../../../src/seal/status/event-hooks.js";
import { EVENT, FIRST_EVENTS, LAST_EVENTS } from "../../../src/seal/status/guard-event.js";
import { EVENTS_MAP, STATUS_MAP } from "../../../src/seal/status/guard-maps.js";
import { STATE } from "../../../src/seal/status/guard-status.js";
import { GUARD_REASONS, REASON_SLOTS } from "../../../src/seal/status/reasons.js";
import { MODE, STATUS } from "../../../src/seal/status/status-layout.js";
import { COMMANDS } from "../../../src/seal/status.js";
import { CHeader } from "../../support/c-header.js";
import {
  MAX_TICKETS,
  TICKET,
  TICKET_COMMAND,
  TICKET_LIFETIME,
  TICKET_SIZE,
  TICKET_WITHDRAW,
} from "../../support/guard-ticket.js";
import { own } from "../../support/workplace.js";

/** sizeof(union bpf_attr) of Linux 6.12, the first kernel with a guard. */
const BPF_ATTR_SIZE = 152;

const header = new CHeader(readFileSync(own("src/seal/guard/interface.h"), "utf8"));

describe("src/seal and guard/interface.h", () => {
  it("have the same entries and records of lists", () => {
    expect(header.struct("list_entry")).toMatchObject({ offsets: ENTRY, size: ENTRY_SIZE });
    expect(ENTRY.maps).toBe(KEY_SIZE);
    expect(header.struct("list_references")).toMatchObject({ offsets: REFERENCES, size: REFERENCES_SIZE });
    expect(header.struct("list_map")).toMatchObject({ offsets: MAP, size: MAP.settings + 8 * MAX_SETTINGS });
    expect(header.struct("list_record").size).toBe(RECORD_SIZE);
    expect(header.constant("GUARD_ALTERNATIVES")).toBe(MAX_ALTERNATIVES);
    expect(header.constant("GUARD_MAX_MAPS")).toBe(MAX_MAPS);
  });

  it("have the same classes", () => {
    expect(header.struct("guard_class")).toMatchObject({ offsets: CLASS, size: CLASS_SIZE });
    expect(header.struct("guard_classes")).toMatchObject({ offsets: CLASSES, size: CLASSES_SIZE });
    expect([header.constant("GUARD_CLASS_ROWS"), header.constant("GUARD_CLASSES")]).toEqual([CLASS_ROWS, CLASSES_MAP]);
  });

  it("have the same status and events", () => {
    const { offsets, size } = header.struct("guard_status");
    expect(offsets).toEqual({ ...STATUS.words, ...STATUS.longs, ...STATUS.digests, denied: STATUS.denied });
    expect(size).toBe(STATUS.size);
    const { size: eventSize, ...fields } = EVENT;
    expect(header.struct("guard_event")).toMatchObject({ offsets: fields, size: eventSize });
    const hooks = [...EVENT_HOOKS].map(([number, { name }]) => [`GUARD_AT_${name.toUpperCase()}`, number] as const);
    expect(new Map(header.enumerators("guard_hook"))).toEqual(new Map(hooks));
    expect(header.constant("GUARD_FIRST_EVENTS")).toBe(FIRST_EVENTS);
    expect(header.constant("GUARD_LAST_EVENTS")).toBe(LAST_EVENTS);
    expect([header.constant("GUARD_STATUS"), header.constant("GUARD_EVENTS")]).toEqual([STATUS_MAP, EVENTS_MAP]);
  });

  it("have the same tickets, which fit into the kernel's copy of bpf_attr", () => {
    expect(header.struct("guard_ticket")).toMatchObject({ offsets: TICKET, size: TICKET_SIZE });
    // up to the field that compares with an entry
    const { digest, prog_type, expected_attach_type, attach_btf_id, prog_flags, gpl_compatible } = TICKET;
    const key = { digest, prog_type, expected_attach_type, attach_btf_id, prog_flags, gpl_compatible };
    expect({ ...key, maps: TICKET.attach_prog_id }).toEqual(ENTRY);
    expect(TICKET_SIZE).toBeLessThanOrEqual(BPF_ATTR_SIZE);
    expect(header.constant("GUARD_COMMAND_TICKET")).toBe(TICKET_COMMAND);
    expect(header.constant("GUARD_TICKETS")).toBe(MAX_TICKETS);
    expect(header.constant("GUARD_TICKET_WITHDRAW")).toBe(TICKET_WITHDRAW);
    expect(BigInt(header.constant("GUARD_TICKET_LIFETIME"))).toBe(TICKET_LIFETIME);
  });

  it("name the same reasons", () => {
    const reasons = new Map(header.enumerators("guard_reason"));
    expect(reasons.get("GUARD_REASONS")).toBe(REASON_SLOTS);
    reasons.delete("GUARD_REASONS");
    const named = [...GUARD_REASONS].map(([number, { name }]) => [`GUARD_${name.toUpperCase()}`, number] as const);
    expect(new Map(named)).toEqual(reasons);
  });

  it("have the same version, modes, states, commands and canary", () => {
    expect(header.constant("GUARD_VERSION")).toBe(GUARD_VERSION);
    expect(header.constant("GUARD_MODE_AUDIT")).toBe(MODE.audit);
    expect(header.constant("GUARD_MODE_ENFORCE")).toBe(MODE.enforce);
    const states = [
      "GUARD_SEALED",
      "GUARD_LOCKED",
      "GUARD_SIGNATURES_REQUIRED",
      "GUARD_LATE",
      "GUARD_OPEN",
      "GUARD_ROOT_STARTED",
    ];
    expect(states.map((name) => header.constant(name))).toEqual(Object.values(STATE));
    const commands = ["GUARD_COMMAND_LOCK", "GUARD_COMMAND_REQUIRE_SIGNATURES"];
    expect(commands.map((name) => header.constant(name))).toEqual(Object.values(COMMANDS));
    expect(header.constant("GUARD_OPEN_UNTIL_LOCK")).toBe(OPEN_UNTIL_LOCK);
    expect(header.constant("GUARD_CANARY_VALUE")).toBe(CANARY_VALUE);
  });
});
