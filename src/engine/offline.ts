import { existsSync } from "node:fs";
import { basename } from "node:path";
import { sha256 } from "../bpf/digest.js";
import { isElf } from "../bpf/elf.js";
import { embeddedObjects, isBpfElf } from "../bpf/embedded.js";
import { CountersignError } from "../error.js";
import { HOOKS, type HookName } from "../hooks/catalogue.js";
import type { FileFacts, Subject } from "../hooks/subject.js";
import { readInput } from "../input.js";
import { readSignedData } from "../trust/cms/cms.js";
import { MODSIG_MARKER } from "../trust/cms/modsig.js";
import { MAX_SIGNATURE } from "../trust/cms/pkcs7.js";
import type { SignatureStore } from "../trust/store.js";
import { LOAD_HOOKS, loadQuestions, type Question } from "./offline-load.js";

/** A file to decide about before it is used. */
export interface OfflineFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The sources of a file's signature. */
export interface OfflineSignatures {
  /** Specified by the caller; takes precedence over all others. */
  readonly given: Uint8Array | null;
  readonly store: SignatureStore;
}

/**
 * The hook for a file's content: `bpf_prog_load` for a BPF object and for a program that embeds one, `kernel_read_file`
 * for a kernel module, `blob_verify` for anything else. Throws ELF_NO_PROGRAMS for an ELF file without BPF.
 */
export function hookOf({ path, bytes }: OfflineFile): HookName {
  if (isBpfElf(bytes)) return "bpf_prog_load";
  if (path.endsWith(".ko") || Buffer.from(bytes.subarray(-MODSIG_MARKER.length)).equals(MODSIG_MARKER))
    return "kernel_read_file";
  if (!isElf(bytes)) return "blob_verify";
  if (embeddedObjects(bytes).length > 0) return "bpf_prog_load";
  throw new CountersignError("ELF_NO_PROGRAMS", "is an ELF file with no BPF in it", {
    place: path,
    remedy: "name a BPF object, or say what is meant with --hook, such as bprm_check_security",
  });
}

/**
 * The decisions that hooks would make about a file, in the order of a live load: one, or one for each program or map in
 * it. Throws what parsing the file throws, with its path, and USAGE if the hook's subject is not a file.
 */
export function questionsAbout(
  file: OfflineFile,
  hooks: readonly HookName[],
  signatures: OfflineSignatures,
): readonly Question[] {
  try {
    if (!hooks.every((hook) => LOAD_HOOKS.includes(hook)))
      return hooks.map((hook) => ({ hook, subject: subjectOf(file, hook, signatures), unknown: [], offlineOnly: [] }));
    const signatureOf = (digest: string) => signatures.given ?? stored(signatures.store, digest);
    const load = loadQuestions(file.bytes, fileFacts(file, signatures), signatureOf);
    return load.filter(({ hook }) => hooks.includes(hook));
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(file.path) !== true
      ? error.within(file.path)
      : error;
  }
}

/** The subjects of the decisions of one hook about a file. */
export function subjectsOf(file: OfflineFile, hook: HookName, signatures: OfflineSignatures): readonly Subject[] {
  return questionsAbout(file, [hook], signatures).map(({ subject }) => subject);
}

/** Suffixes of signature files beside the signed file: CMS, ssh-keygen and bare ones, minisign, Sigstore. */
const BESIDE = [".p7s", ".sig", ".minisig", ".sigstore.json"] as const;

/**
 * Reads a detached signature file. Throws DER_MALFORMED if it is not CMS, except for the suffixes of other types, which
 * are checked when a policy verifies them.
 */
export function readSignature(path: string): Uint8Array {
  const bytes = readInput(path, MAX_SIGNATURE);
  return /\.(sig|raw|minisig|sigstore|sigstore\.json)$/.test(path) ? bytes : wellFormed(path, bytes);
}

/** The subject for a hook that uses the whole file. */
function subjectOf(file: OfflineFile, hook: HookName, signatures: OfflineSignatures): Subject {
  const facts = fileFacts(file, signatures);
  const { sha256: digest, data, signature } = facts;
  const name = basename(file.path);
  switch (HOOKS[hook].subject) {
    case "file":
      return hook === "kernel_read_file"
        ? { ...facts, name, digest, purpose: "module", parameters: "" }
        : { ...facts, name, digest, purpose: "exec", parameters: null };
    case "blob":
      return { name, digest, data, signature };
    default:
      throw new CountersignError("USAGE", `${hook} is not about a file`, { remedy: "name another hook with --hook" });
  }
}

function fileFacts({ path, bytes }: OfflineFile, { given, store }: OfflineSignatures): FileFacts {
  const digest = sha256(bytes);
  const beside = BESIDE.map((ending) => path + ending).find((candidate) => existsSync(candidate));
  const signature = given ?? (beside === undefined ? stored(store, digest) : readSignature(beside));
  return { path, sha256: digest, data: bytes, signature };
}

function stored(store: SignatureStore, digest: string): Uint8Array | null {
  const signature = store.find(digest);
  return signature === null ? null : wellFormed(`the signature store: ${digest}.p7s`, signature);
}

/**
 * Throws DER_MALFORMED for a damaged signature file. The user must repair it, so it is not treated as a signature that
 * does not verify.
 */
function wellFormed(path: string, signature: Uint8Array): Uint8Array {
  try {
    readSignedData(signature);
    return signature;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const place = error.place === undefined ? path : `${path}: ${error.place}`;
    throw new CountersignError(error.code, `is no signature: ${error.message}`, {
      place,
      remedy: "name a detached CMS in DER, as `countersign sign` and `openssl cms -sign -binary -outform DER` make it",
      cause: error,
    });
  }
}
