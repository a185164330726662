import { cpio } from "../../../../src/seal/initramfs/cpio.js";

/** The device that the table adds: a file of sysfs, each read of which runs code of the table. */
export const ACPI_STATUS = "/sys/bus/acpi/devices/CSGN0001:00/status";

const HEADER_SIZE = 36;

/** `size` bytes with the length of a package (20.2.4 of the ACPI specification) before them. */
function packaged(body: Uint8Array): Buffer {
  const [short, long] = [body.length + 1, body.length + 2];
  return Buffer.concat([Buffer.from(short < 64 ? [short] : [0x40 | (long & 15), long >> 4]), body]);
}

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const text = (ascii: string): Buffer => Buffer.from(ascii, "latin1");

/**
 * The code of the table, as the compiler of ACPICA has it of:
 *
 *     Device (\_SB.ATCK) {
 *       Name (_HID, "CSGN0001")
 *       OperationRegion (MEM, SystemMemory, 0x600, 4)
 *       Field (MEM, DWordAcc, NoLock, Preserve) { CNT, 32 }
 *       Method (_STA) { CNT = CNT + 0x100; Local0 = CNT | 0x0f; Return (Local0) }
 *     }
 */
function code(): Buffer {
  const status = Buffer.concat([
    ...[text("_STA"), bytes("00")],
    ...[bytes("72"), text("CNT_"), bytes("0b 00 01"), text("CNT_")],
    ...[bytes("7d"), text("CNT_"), bytes("0a 0f 60"), bytes("a4 60")],
  ]);
  const field = Buffer.concat([text("MEM_"), bytes("03"), text("CNT_"), bytes("20")]);
  const device = Buffer.concat([
    ...[bytes("5c 2e"), text("_SB_ATCK")],
    ...[bytes("08"), text("_HID"), bytes("0d"), text("CSGN0001\0")],
    ...[bytes("5b 80"), text("MEM_"), bytes("00 0c 00 06 00 00 0a 04")],
    ...[bytes("5b 81"), packaged(field)],
    ...[bytes("14"), packaged(status)],
  ]);
  return Buffer.concat([bytes("5b 82"), packaged(device)]);
}

/** A table (SSDT) whose code adds 0x100 to four bytes of memory and returns them, each time the status is read. */
export function acpiTable(): Buffer {
  const body = code();
  const header = Buffer.alloc(HEADER_SIZE);
  header.write("SSDT", 0, "latin1");
  header.writeUInt32LE(HEADER_SIZE + body.length, 4);
  header.writeUInt8(2, 8);
  header.write("CSGN  ATTACK  ", 10, "latin1");
  header.writeUInt32LE(1, 24);
  header.write("CSGN", 28, "latin1");
  header.writeUInt32LE(1, 32);
  const table = Buffer.concat([header, body]);
  table[9] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return table;
}

/** An archive before the initramfs that has the kernel install the table (CONFIG_ACPI_TABLE_UPGRADE). */
export function acpiFragment(): Uint8Array {
  const folder = (path: string) => ({ path, permissions: 0o755, contents: null });
  return cpio([
    ...["kernel", "kernel/firmware", "kernel/firmware/acpi"].map(folder),
    { path: "kernel/firmware/acpi/attack.aml", permissions: 0o644, contents: acpiTable() },
  ]);
}
