import { sha256 } from "../../bpf/insn/digest.js";
import { MAX_STATEMENT, type ProgramStatement, parseStatement } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { type PathPlaces, placing } from "../../path-places.js";
import type { SignedStatement } from "../../trust/keyring.js";
import {
  readStored,
  type SignatureFolder,
  SignatureStore,
  type StoredSignature,
  signatureFolders,
  statementName,
} from "../../trust/store.js";

/** Maximum number of statements, and of bytes of all together. */
export const MAX_STATEMENTS = 10_000;
const MAX_BYTES = 1 << 30;

/** What a configuration says of its folders of signatures. */
interface ConfiguredFolders {
  readonly signatures: readonly string[];
  readonly pathPlaces: PathPlaces;
}

/** A statement of the store. Its signatures are not verified. */
export class StoredStatement implements SignedStatement {
  readonly sha256: string;
  readonly objectSha256: string;
  readonly byteOrder: "little" | "big";
  /** Its programs in its order, with their numbers of instructions. */
  readonly programs: readonly { readonly name: string; readonly insnCount: number }[];
  readonly #programPart: Uint8Array;
  #programSha256: string | undefined;
  #parsed: WeakRef<ProgramStatement> | null = null;
  #signatures: readonly StoredSignature[] | null = null;

  constructor(
    readonly bytes: Uint8Array,
    { content: { program }, sha256: digest, programPart }: ProgramStatement,
    private readonly signaturesOf: (digest: string) => readonly StoredSignature[],
  ) {
    this.sha256 = digest;
    this.#programPart = programPart;
    this.objectSha256 = program.object.sha256;
    this.byteOrder = program.object.byte_order;
    this.programs = program.programs.map(({ name, insns }) => ({
      name,
      insnCount: Buffer.byteLength(insns, "base64") / 8,
    }));
  }

  /** SHA-256 of the program part alone. Computed at the first use: a gate does without. */
  get programSha256(): string {
    this.#programSha256 ??= sha256(this.#programPart);
    return this.#programSha256;
  }

  /** Its contents, kept only while somebody uses them: in memory they take several times the size of the file. */
  get statement(): ProgramStatement {
    const known = this.#parsed?.deref();
    if (known !== undefined) return known;
    const parsed = parseStatement(this.bytes);
    this.#parsed = new WeakRef(parsed);
    return parsed;
  }

  /**
   * The signatures over it in the store, of each type. Read at the first call. Throws FILE_UNREADABLE, FILE_TOO_LARGE.
   */
  get signatures(): readonly StoredSignature[] {
    this.#signatures ??= this.signaturesOf(this.sha256);
    return this.#signatures;
  }
}

/**
 * The statements in the folders of signatures, read once when it is opened. An entry that cannot be used is left out
 * and reported: it makes no program signed, and keeps no other statement from being used.
 */
export class StatementStore {
  readonly #bySha256: ReadonlyMap<string, StoredStatement>;
  readonly #byObject = new Map<string, StoredStatement[]>();

  private constructor(
    /** In ascending order of their SHA-256. */
    readonly all: readonly StoredStatement[],
    /** Entries that are left out, with the path of each, and why. */
    readonly rejected: readonly CountersignError[],
  ) {
    this.#bySha256 = new Map(all.map((stored) => [stored.sha256, stored]));
    for (const stored of all) put(this.#byObject, stored.objectSha256, stored);
  }

  /** The statements in the folders of a configuration. Throws FILE_UNREADABLE with the place in the configuration. */
  static ofConfiguration(config: ConfiguredFolders): StatementStore {
    return placing(config, () => StatementStore.open(signatureFolders(config.signatures)));
  }

  /** Throws FILE_UNREADABLE if a folder cannot be listed. */
  static open(folders: readonly SignatureFolder[]): StatementStore {
    const signatures = new SignatureStore(folders);
    const signaturesOf = (digest: string) => signatures.ofStatement(digest);
    const found = new Map<string, StoredStatement>();
    const rejected: CountersignError[] = [];
    let read = 0;
    let bytes = 0;
    for (const folder of folders)
      for (const name of folder.statements()) {
        if (read === MAX_STATEMENTS || bytes > MAX_BYTES)
          return new StatementStore(inOrder(found), [...rejected, full(folder, name)]);
        read += 1;
        try {
          const stored = storedIn(folder, name, signaturesOf);
          if (stored === null || found.has(stored.sha256)) continue;
          found.set(stored.sha256, stored);
          bytes += stored.bytes.length;
        } catch (error) {
          if (!(error instanceof CountersignError)) throw error;
          rejected.push(error);
        }
      }
    return new StatementStore(inOrder(found), rejected);
  }

  /** The statement with these signed bytes; null if there is none. */
  ofSha256(sha256: string): StoredStatement | null {
    return this.#bySha256.get(sha256) ?? null;
  }

  /** The statements of programs of an object file, all of them or some. */
  ofObject(sha256: string): readonly StoredStatement[] {
    return this.#byObject.get(sha256) ?? [];
  }
}

function storedIn(
  folder: SignatureFolder,
  name: string,
  signaturesOf: (digest: string) => readonly StoredSignature[],
): StoredStatement | null {
  const bytes = readStored(folder, name, MAX_STATEMENT);
  if (bytes === null) return null;
  const place = `${folder.path}/${name}`;
  let statement: ProgramStatement;
  try {
    statement = parseStatement(bytes);
  } catch (error) {
    throw error instanceof CountersignError ? error.within(place) : error;
  }
  if (!name.endsWith(statementName(statement.sha256)))
    throw new CountersignError("STATEMENT_MALFORMED", `its SHA-256 is ${statement.sha256}, not that of its name`, {
      place,
      remedy: `fetch it again, or name it ${statementName(statement.sha256)}`,
    });
  return new StoredStatement(bytes, statement, signaturesOf);
}

function inOrder(found: ReadonlyMap<string, StoredStatement>): readonly StoredStatement[] {
  return [...found.values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

function full(folder: SignatureFolder, name: string): CountersignError {
  return new CountersignError(
    "FILE_TOO_LARGE",
    `this statement and those after it are not read: the limit is ${MAX_STATEMENTS} statements and ${MAX_BYTES} bytes`,
    {
      place: `${folder.path}/${name}`,
      remedy: "remove statements of objects that are not used any more",
    },
  );
}

function put(lists: Map<string, StoredStatement[]>, key: string, stored: StoredStatement): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [stored]);
  else list.push(stored);
}
