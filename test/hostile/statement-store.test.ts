import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import canonicalize from "canonicalize";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeStatement, statementOf } from "../../src/bpf/statement.js";
import { MAX_STATEMENTS, StatementStore } from "../../src/engine/statements/statement-store.js";
import { verifyStored } from "../../src/engine/statements/verify-statement.js";
import { ERRNO } from "../../src/errno.js";
import { hash } from "../../src/trust/base/digest.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { type SignatureFolder, signatureFolders, statementName } from "../../src/trust/store.js";
import { example } from "../support/examples.js";
import { shareOf } from "../support/share.js";
import { trusting } from "../support/trust.js";

const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const keyring = trusting([root.pem.certificate]);
const { bytes, statement } = statementOf(example("switch-watch"));

/** Ways of breaking an entry: what is in the file, under the digest of what is in it or another one. */
const BROKEN: readonly ((number: number) => readonly [name: string, contents: string | Uint8Array])[] = [
  (number) => [statementName(hash("sha256", Buffer.from(String(number)))), "not a statement"],
  (number) => named(Buffer.from(`countersign statement 2\n${number}`)),
  (number) => named(Buffer.from(`countersign statement 1\n${number}`)),
  (number) => named(bytes.subarray(0, bytes.length - 1 - (number % 1000))),
  (number) => named(Buffer.concat([bytes, Buffer.alloc(1 + (number % 1000), "\n")])),
  (number) => named(Buffer.from(`countersign statement 1\n${canonicalize({ ...statement.content, number })}`)),
  (number) => [statementName(number.toString(16).padStart(64, "0")), bytes],
  (number) => [statementName((number + 7).toString(16).padStart(64, "f")), ""],
];

function named(contents: Uint8Array): readonly [string, Uint8Array] {
  return [statementName(hash("sha256", contents)), contents];
}

/** With the whole one, as many as are read. */
const ENTRIES = shareOf(MAX_STATEMENTS) - 1;

describe("a store full of statements of which all but one are broken", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-hostile-"));
    for (let number = 0; number < ENTRIES; number++) {
      const [name, contents] = BROKEN[number % BROKEN.length]!(number);
      writeFileSync(join(folder, name), contents);
      // even with a valid signature over what is broken
      if (number % 100 === 1) writeFileSync(join(folder, name.replace("statement", "p7s")), signPkcs7(bytes, signer));
    }
    writeFileSync(join(folder, statementName(statement.sha256)), bytes);
    writeFileSync(join(folder, `${statement.sha256}.p7s`), signPkcs7(bytes, signer));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has the one that is not, and reports each of the others with its place", { tags: ["deep"] }, () => {
    const { all, rejected } = StatementStore.open(signatureFolders([folder]));
    expect(all.map(({ sha256 }) => sha256)).toEqual([statement.sha256]);
    expect(verifyStored(all[0]!, keyring, Date.now())).toMatchObject({ verdict: 0 });
    expect(rejected.length).toBeGreaterThan(ENTRIES / 2);
    for (const { code, place, remedy } of rejected) {
      expect(["STATEMENT_MALFORMED", "STATEMENT_UNSUPPORTED"]).toContain(code);
      expect(place?.startsWith(folder)).toBe(true);
      expect(remedy).toBeDefined();
    }
  });

  it("finds nothing for an object of which no statement is whole", () => {
    const store = StatementStore.open(signatureFolders([folder]));
    expect(store.ofObject(hash("sha256", example("xdp-steer")))).toEqual([]);
  });
});

describe("a folder of statements", () => {
  const entries = new Map<string, Uint8Array>();
  let opened = 0;
  const folder: SignatureFolder = {
    path: "signatures",
    statements: () => [...entries.keys()],
    open: () => {
      opened += 1;
      return -ERRNO.ENOENT;
    },
    close: () => {},
  };

  it("is read up to a number of entries, and says where it stops", () => {
    for (let number = 0; number < 50_000; number++)
      entries.set(statementName(number.toString(16).padStart(64, "0")), bytes);
    const { all, rejected } = StatementStore.open([folder, folder]);
    expect({ all: all.length, opened }).toEqual({ all: 0, opened: MAX_STATEMENTS });
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({
      code: "FILE_TOO_LARGE",
      place: `signatures/${statementName(MAX_STATEMENTS.toString(16).padStart(64, "0"))}`,
    });
  });

  it("is not followed out of itself by names, nor waited for", () => {
    const place = mkdtempSync(join(tmpdir(), "countersign-hostile-"));
    try {
      const digest = "ab".repeat(32);
      mkdirSync(join(place, "ab"));
      mkdirSync(join(place, "cd"));
      symlinkSync("/dev/zero", join(place, "ab", statementName(digest)));
      writeFileSync(join(place, "cd", statementName(digest)), bytes);
      writeFileSync(join(place, `${digest}.statement.new`), bytes);
      const { all, rejected } = StatementStore.open(signatureFolders([place]));
      expect(all).toEqual([]);
      expect(rejected.map(({ code, message }) => [code, message])).toEqual([
        ["FILE_UNREADABLE", "is not a regular file"],
      ]);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });
});

describe("a signature over a statement", () => {
  it("says nothing of another statement of the same object", () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-hostile-"));
    try {
      const open = encodeStatement({ ...statement.content, rules: { fixed: [], open: ["map:switches.pinned"] } });
      const digest = hash("sha256", open);
      writeFileSync(join(folder, statementName(digest)), open);
      writeFileSync(join(folder, `${digest}.p7s`), signPkcs7(bytes, signer));
      const [stored] = StatementStore.open(signatureFolders([folder])).all;
      expect(verifyStored(stored!, keyring, Date.now())).toMatchObject({ verdict: -ERRNO.EKEYREJECTED });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
