import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { ListMap, ProgramMaps } from "../../../src/seal/list/list-entry.js";
import { encodeTicket, mapsDigest, TICKET, TICKET_SIZE, type Ticket } from "../../support/guard-ticket.js";

const TICKET_OF_ALL: Ticket = {
  ...{ digest: "ab".repeat(32), progType: 1, expectedAttachType: 2, attachBtfId: 3, progFlags: 4, gplCompatible: true },
  ...{ attachProgId: 5, attachBtfObjId: 6, tid: 7, deadline: 8n, maps: "cd".repeat(32) },
};

const MAP: ListMap = {
  ...{ mapType: 2, keySize: 4, valueSize: 8, maxEntries: 1, mapFlags: 0x80, mapExtra: 0n },
  ...{ contents: "ef".repeat(32), settings: [], inner: null },
};
const MAPS: ProgramMaps = { references: 2, digest: "12".repeat(32), maps: [MAP] };

describe("a ticket", () => {
  it("has each field at the offset of struct guard_ticket", () => {
    const bytes = encodeTicket(TICKET_OF_ALL);
    expect(bytes).toHaveLength(TICKET_SIZE);
    expect(bytes.toString("hex", TICKET.digest, TICKET.digest + 32)).toBe("ab".repeat(32));
    const words = [
      ...[
        TICKET.prog_type,
        TICKET.expected_attach_type,
        TICKET.attach_btf_id,
        TICKET.prog_flags,
        TICKET.gpl_compatible,
      ],
      ...[TICKET.attach_prog_id, TICKET.attach_btf_obj_id, TICKET.tid, TICKET.flags, TICKET.reserved],
    ];
    expect(words.map((at) => bytes.readUInt32LE(at))).toEqual([1, 2, 3, 4, 1, 5, 6, 7, 0, 0]);
    expect(bytes.readBigUInt64LE(TICKET.deadline)).toBe(8n);
    expect(bytes.toString("hex", TICKET.maps, TICKET.maps + 32)).toBe("cd".repeat(32));
  });
});

describe("the digest of a ticket's maps", () => {
  it("is zero without maps", () => {
    expect(mapsDigest({ references: 0, digest: "00".repeat(32), maps: [] })).toBe("00".repeat(32));
  });

  it("is over the references and the maps, in blocks of SHA-256", () => {
    const bytes = Buffer.alloc(64 + 128);
    bytes.writeUInt32LE(1, 0);
    bytes.writeUInt32LE(2, 4);
    bytes.fill(0x12, 8, 40);
    for (const [index, word] of [2, 4, 8, 1, 0x80, 1].entries()) bytes.writeUInt32LE(word, 64 + 8 + 4 * index);
    bytes.fill(0xef, 64 + 56, 64 + 88);
    expect(mapsDigest(MAPS)).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  const numbers = { mapType: 9, keySize: 9, valueSize: 9, maxEntries: 9, mapFlags: 9 };
  it.for<readonly [string, ProgramMaps]>([
    ["the number of references", { ...MAPS, references: 3 }],
    ["the digest of references", { ...MAPS, digest: "13".repeat(32) }],
    ["the number of maps", { ...MAPS, maps: [MAP, MAP] }],
    ...Object.keys(numbers).map((name) => [name, { ...MAPS, maps: [{ ...MAP, [name]: 9 }] }] as const),
    ["map_extra", { ...MAPS, maps: [{ ...MAP, mapExtra: 9n }] }],
    ["the contents", { ...MAPS, maps: [{ ...MAP, contents: "ee".repeat(32) }] }],
    ["that contents are compared", { ...MAPS, maps: [{ ...MAP, contents: null }] }],
    ["the inner map", { ...MAPS, maps: [{ ...MAP, inner: numbers }] }],
  ])("depends on %s", ([, changed]) => {
    expect(mapsDigest(changed)).not.toBe(mapsDigest(MAPS));
  });
});
