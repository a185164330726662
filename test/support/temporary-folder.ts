import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

const PREFIX = "countersign-ring-";

/**
 * Gives the tests of a run one folder for their temporary files, which is removed at its end: a test that fails or is
 * ended removes nothing itself. The system tests do not have it: they mount file systems below such folders.
 */
export default function setup(): () => void {
  // the setup of another ring was before
  if (basename(tmpdir()).startsWith(PREFIX)) return () => undefined;
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(folder, 0o711); // some tests open their files as another user
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
