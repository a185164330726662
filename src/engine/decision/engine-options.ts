import type { SignatureFolder } from "../../trust/store.js";
import type { DecisionWatch } from "../handover/watch.js";
import type { FileSnapshot } from "../load/file-cache.js";
import type { SealedRules } from "../load/keyrings.js";
import type { LinkCache } from "../load/link-cache.js";
import type { StatementStore } from "../statements/statement-store.js";
import type { TestProbe } from "./test-probe.js";

/** What an engine takes over from an earlier one, and what its caller wants beside decisions. */
export interface EngineOptions {
  /** Rules of keyrings that are sealed already in this process, from {@link Engine.sealed} or from `sealedRules`. */
  readonly sealed?: SealedRules | undefined;
  /** Records which attachment is being asked. */
  readonly watch?: DecisionWatch | null;
  /** Texts of policies and maps, from {@link Engine.texts} of the engine that this one replaces. */
  readonly texts?: FileSnapshot | null;
  /** Link results of earlier runs. */
  readonly cache?: LinkCache | null;
  /** The signature folders, if they are open already; otherwise they are opened by path. */
  readonly folders?: readonly SignatureFolder[] | null;
  /** The statements of an earlier engine with the same configuration. */
  readonly statements?: StatementStore | null | undefined;
  /** Whether each answer says what it can depend on. Policies are then asked more slowly. */
  readonly recordsReads?: boolean;
  /** Of a test of the policies: what they reach, and the answers of helpers. */
  readonly probe?: TestProbe | null;
}
