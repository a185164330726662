/** Offsets of the header of a bzImage (Documentation/arch/x86/boot.rst). */
export const BOOT_HEADER = {
  setupSectors: 0x1f1,
  magic: 0x202,
  version: 0x206,
  kernelVersion: 0x20e,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
  end: 0x250,
} as const;
const MAGIC = Buffer.from("HdrS");

/** Whether these first bytes of a file are those of a bzImage. */
export function isBootImage(start: Uint8Array): boolean {
  return start.length >= BOOT_HEADER.end && MAGIC.equals(start.subarray(BOOT_HEADER.magic, BOOT_HEADER.magic + 4));
}

/** Number of bytes that `isBootImage` needs. */
export const BOOT_HEADER_SIZE = BOOT_HEADER.end;
