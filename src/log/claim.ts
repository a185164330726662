import { closeSync, fstatSync, openSync, statSync, unlinkSync } from "node:fs";

/**
 * Milliseconds after which a claim is taken from its holder: what it is held for takes much less, so that process has
 * ended, or stands still and finds that it no longer holds the claim when it goes on.
 */
const VALID_FOR = 10_000;

/**
 * A file that only one process creates, for as long as it does what one process at a time may do. Unlike a lock of the
 * kernel it works on every platform of node, and needs no native code.
 */
export class Claim {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
  ) {}

  /** Returns null if another process has the claim, or if the disk is full. Throws other errors of open(2). */
  static take(path: string): Claim | null {
    const other = statSync(path, { throwIfNoEntry: false });
    if (other !== undefined && Math.abs(Date.now() - other.mtimeMs) > VALID_FOR) removeIfThere(path);
    try {
      return new Claim(path, openSync(path, "wx", 0o640));
    } catch (error) {
      if (["EEXIST", "ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
      throw error;
    }
  }

  /** Whether no other process has taken the claim. */
  get isHeld(): boolean {
    return fstatSync(this.fd).ino === statSync(this.path, { throwIfNoEntry: false })?.ino;
  }

  release(): void {
    if (this.isHeld) removeIfThere(this.path);
    closeSync(this.fd);
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
