import { classify } from "../../src/engine/files/file-content.js";
import { questionsAbout } from "../../src/engine/files/file-questions.js";
import { FileSignatures } from "../../src/engine/files/file-signatures.js";
import type { HookName } from "../../src/hooks/catalogue.js";
import type { Subject } from "../../src/hooks/subject.js";
import { SignatureStore } from "../../src/trust/store.js";

export const NO_SIGNATURES = new FileSignatures(SignatureStore.open([]));

/** The subjects of one hook in a file that need not exist at its path. */
export function subjectsOf(
  path: string,
  bytes: Uint8Array,
  hook: HookName,
  signatures = NO_SIGNATURES,
): readonly Subject[] {
  return questionsAbout(classify(path, bytes, hook), signatures).map(({ subject }) => subject);
}
