/**
 * The beginning of every program statement, whatever its version. Signatures over statements and signatures over other
 * data must never be taken for each other, so nothing else that is signed or verified may begin so.
 */
export const STATEMENT_PREFIX = "countersign statement ";

/** The namespace of SSH signatures over statements. */
export const STATEMENT_NAMESPACE = "countersign-statement";

export function beginsAsStatement(bytes: Uint8Array): boolean {
  if (bytes.length < STATEMENT_PREFIX.length) return false;
  for (let at = 0; at < STATEMENT_PREFIX.length; at++) if (bytes[at] !== STATEMENT_PREFIX.charCodeAt(at)) return false;
  return true;
}
