import { signatureBeside, wellFormed } from "../../trust/signature-file.js";
import type { SignatureStore } from "../../trust/store.js";
import type { StatementStore } from "../statements/statement-store.js";
import { FileStatements } from "./file-statements.js";

const NO_STORE: Pick<StatementStore, "all" | "ofObject"> = { all: [], ofObject: () => [] };

/** Finds the signature over a file, or over a part of it, and the statements about its programs. */
export class FileSignatures {
  /** `given` is a signature that the caller names, which takes precedence over all others. */
  constructor(
    private readonly store: SignatureStore,
    private readonly given: Uint8Array | null = null,
    private readonly statements: Pick<StatementStore, "all" | "ofObject"> = NO_STORE,
  ) {}

  /** The signature over a whole file: the given one, one beside it, or the store's; null if there is none. */
  ofFile(path: string, sha256: string): Uint8Array | null {
    return this.given ?? signatureBeside(path) ?? this.stored(sha256);
  }

  /** The signature over data in a file, such as a program's instructions: the given one, or the store's. */
  ofData(sha256: string): Uint8Array | null {
    return this.given ?? this.stored(sha256);
  }

  /** The statements about the programs of an object file. */
  ofObject(bytes: Uint8Array): FileStatements {
    return new FileStatements(bytes, this.statements);
  }

  private stored(sha256: string): Uint8Array | null {
    const signature = this.store.find(sha256);
    return signature === null ? null : wellFormed(`the signature store: ${sha256}.p7s`, signature);
  }
}
