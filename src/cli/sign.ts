import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { factsOfFile } from "../bpf/embedded.js";
import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import { hash } from "../trust/digest.js";
import { stamped } from "../trust/making/time-stamp-maker.js";
import { signatureName } from "../trust/store.js";
import { Unsigned } from "./external-key.js";
import { print, printJson } from "./output.js";
import { checkVerifies, MAKERS, type Maker, type MakerName, type MakerOptions } from "./signature-makers.js";
import { type StamperOptions, stamperOf } from "./stamper.js";
import { writeWhole } from "./write.js";

/** `countersign sign`: signs files, or each BPF program in them. */
export function command(): Command {
  return new Command("sign")
    .description("Makes signatures of files, or of each BPF program in them")
    .argument("<file...>", "what to sign")
    .option("--key <file>", "private key, PEM or DER, or a pkcs11: URI; again for each further signer", collect)
    .option("--cert <file>", "certificate of the key, PEM or DER; in the order of the keys", collect)
    .option("--pkcs12 <file>", "key and certificate in one file; again for each further signer", collect)
    .option("--pkcs11-module <file>", "the library of the token that a pkcs11: key is in")
    .option("--chain <file>", "certificates between the signer and the keyring's, to be carried along", collect)
    .addOption(
      new Option("--type <type>", "how the signature is encoded").choices(Object.keys(MAKERS)).default("pkcs7"),
    )
    .option("--programs", "sign each BPF program's instructions, into a folder by their digest")
    .option("--out <file>", "where to write: a file, or a folder for several files or --programs")
    .option("--usage <name>", "extended key usage that a verifier asks for: codeSigning by default, or `any`", collect)
    .option("--ignore-validity", "sign with a certificate that is not in its time")
    .option("--digest <name>", "sha256, sha384 or sha512; the key's own by default")
    .option("--pss", "RSASSA-PSS with an RSA key")
    .option("--passphrase-file <file>", "what opens an encrypted key, or the token's PIN: the first line of this file")
    .option("--passphrase-fd <number>", "the same from an open descriptor")
    .option("--passphrase-credential <name>", "the same from a credential that systemd passes (LoadCredential=)")
    .option(
      "--signer-command <command>",
      "have a shell command sign: bytes on its standard input, signature on its output",
    )
    .option("--digest-only", "write what a key elsewhere has to sign, instead of a signature")
    .option("--attach <file>", "make the signature out of the bare one that a key elsewhere made")
    .option("--public-key <file>", "public part of a key elsewhere, for types raw, sshsig and minisign")
    .option("--namespace <name>", "what an SSH signature is for: `file` by default")
    .option("--comment <text>", "minisign's trusted comment: time and file name by default")
    .option("--timestamp <url>", "have each signature stamped by this authority (RFC 3161)")
    .option("--timestamp-key <file>", "stamp with this key, of a time-stamping authority of your own")
    .option("--timestamp-cert <file>", "its certificate")
    .option("--json", "one JSON object a signature")
    .addHelpText(
      "after",
      `
Writes FILE.p7s beside each file; with --type modsig FILE.signed, the file with its signature appended; FILE.sig for raw
and sshsig, FILE.minisig for minisign; with --programs one signature a program into the folder \`signatures\`, as the
configuration's \`signatures\` finds them.
Keys: PKCS#8, PKCS#1, SEC1; for sshsig also ssh-keygen's without a passphrase; for minisign those of \`minisign -G -W\`.

A key that is elsewhere signs in two steps: --digest-only writes FILE.digest, the digest for RSA and ECDSA, and for
Ed25519 the bytes that it takes whole; --attach takes the bare signature over that, with the same other options. ECDSA
signatures may be DER or two numbers. Such signatures say no signing time, so that both steps come to the same bytes.
--signer-command also has COUNTERSIGN_DIGEST (sha256 …; empty for Ed25519), COUNTERSIGN_DIGEST_HEX and
COUNTERSIGN_SALT (for RSASSA-PSS) in its environment. What comes back is verified before anything is written.
Nothing is written that \`countersign verify\` would reject by the signer's certificate.

Examples:
  countersign sign --key signer.key --cert signer.pem policy.bin
  countersign sign --pkcs12 signer.p12 --passphrase-file secret --timestamp http://tsa.example.org policy.bin
  countersign sign --key "pkcs11:token=hsm;object=signer;type=private" --cert signer.pem \\
    --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --passphrase-file pin policy.bin
  countersign sign --type sshsig --key ~/.ssh/id_ed25519 policy.bin
  countersign sign --type minisign --key minisign.key policy.bin
  countersign sign --cert signer.pem --signer-command "openssl dgst -sha256 -sign signer.key" policy.bin
  countersign sign --cert signer.pem --digest-only policy.bin
  openssl pkeyutl -sign -inkey signer.key -pkeyopt digest:sha256 -in policy.bin.digest -out policy.bin.bare
  countersign sign --cert signer.pem --attach policy.bin.bare policy.bin
  countersign sign --key signer.key --cert signer.pem --programs --type kernel --out signatures/ *.o`,
    )
    .action(run);
}

interface Options extends MakerOptions, StamperOptions {
  readonly type: MakerName;
  readonly programs?: true;
  readonly out?: string;
  readonly json?: true;
}

/** One input to sign, and the path of its signature. */
interface Job {
  readonly file: string;
  readonly program: string | null;
  readonly data: Uint8Array;
  readonly out: string;
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const { type, attach } = options;
  const kind = MAKERS[type];
  const maker = await kind.open(options);
  const stamper = await stamperOf(options);
  if (stamper !== null && type !== "pkcs7")
    throw usage("only CMS messages have a place for a time stamp", "leave --timestamp out, or use --type pkcs7");
  const jobs = options.programs === true ? programJobs(files, options) : fileJobs(files, options);
  if (attach !== undefined && jobs.length !== 1)
    throw usage("one signature to attach, and several things that it may be over", "attach one after the other");
  for (const job of jobs) {
    const signature = made(maker, job);
    if (signature instanceof Unsigned) {
      tellUnsigned(job, signature, options);
      continue;
    }
    checkVerifies(kind.verifiedAs, job.data, signature, maker.trust, options);
    writeWhole(job.out, stamper === null ? signature : await stamped(signature, stamper));
    const { file, program, data, out } = job;
    if (options.json === true) printJson({ file, program, sha256: hash("sha256", data), type, out });
    else print(`${program === null ? file : `${file}: ${program}`} -> ${out}`);
  }
}

/** Makes the signature; with --digest-only, returns the input for an external signer instead. */
function made({ make }: Maker, { file, data }: Job): Buffer | Unsigned {
  try {
    return make(data, basename(file));
  } catch (error) {
    if (error instanceof Unsigned) return error;
    throw error;
  }
}

function tellUnsigned({ file, program, out }: Job, { digest, bytes }: Unsigned, { type, json }: Options): void {
  writeWhole(out, bytes);
  const what = digest === null ? "the bytes to sign whole" : `the ${digest} digest to sign`;
  if (json === true) printJson({ file, program, type, digest, toSign: bytes.toString("hex"), out });
  else print(`${program === null ? file : `${file}: ${program}`} -> ${out} (${what})`);
}

function fileJobs(files: readonly string[], { out, type, digestOnly }: Options): readonly Job[] {
  const folder = out !== undefined && (out.endsWith("/") || isFolder(out));
  if (out !== undefined && !folder && files.length > 1)
    throw usage("--out names one file and there are several to sign", "name a folder with a slash at its end");
  const suffix = digestOnly === true ? ".digest" : MAKERS[type].suffix;
  return files.map((file) => {
    const place = out === undefined ? `${file}${suffix}` : folder ? join(out, `${basename(file)}${suffix}`) : out;
    return { file, program: null, data: readInput(file), out: place };
  });
}

function programJobs(
  files: readonly string[],
  { digestOnly, out = digestOnly === true ? "digests" : "signatures", type }: Options,
): readonly Job[] {
  if (MAKERS[type].suffix !== ".p7s")
    throw usage("--programs makes detached signatures in CMS", "use --type pkcs7 or kernel");
  if (existsSync(out) && !isFolder(out))
    throw usage(`\`${out}\` is not a folder`, "name a folder for the signatures with --out");
  return files.flatMap((file) =>
    programsOf(file).map(({ name, insns, digest }) => ({
      file,
      program: name,
      data: insns,
      out: join(out, digestOnly === true ? `${digest}.digest` : signatureName(digest)),
    })),
  );
}

function programsOf(file: string): ReturnType<typeof factsOfFile>["programs"] {
  const bytes = readInput(file);
  try {
    return factsOfFile(bytes).programs;
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
