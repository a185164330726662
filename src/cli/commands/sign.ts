import { basename } from "node:path";
import { Command, Option } from "commander";
import { CountersignError } from "../../error.js";
import { STATEMENT_NAMESPACE } from "../../statement-line.js";
import { hash } from "../../trust/base/digest.js";
import { stamped } from "../../trust/issuing/time-stamp-maker.js";
import { besideOthers } from "../files/signatures-of-others.js";
import { writeWhole } from "../files/write.js";
import { Unsigned } from "../input/external-key.js";
import { checkVerifies, MAKERS, type Maker } from "../input/signature-makers.js";
import { fileJobs, type Job, type JobOptions, programJobs, titleOfJob } from "../input/signing-jobs.js";
import { type StamperOptions, stamperOf } from "../input/stamper.js";
import { print, printJson } from "../output/output.js";

/** `countersign sign`: signs files, or each BPF program in them. */
export function command(): Command {
  return new Command("sign")
    .description("Signs files, or the BPF programs in them (--programs)")
    .argument("<file...>", "what to sign")
    .option("--key <file>", "private key, PEM or DER, or a pkcs11: URI; again for each further signer", collect)
    .option("--cert <file>", "certificate of the key, PEM or DER; in the order of the keys", collect)
    .option("--pkcs12 <file>", "key and certificate in one file; again for each further signer", collect)
    .option("--pkcs11-module <file>", "the library of the token that a pkcs11: key is in")
    .option("--chain <file>", "certificates between the signer and the keyring's, to be carried along", collect)
    .addOption(
      new Option("--type <type>", "how the signature is encoded").choices(Object.keys(MAKERS)).default("pkcs7"),
    )
    .option("--programs", "sign a statement about the BPF programs in each file, and each program's instructions")
    .option("--only-statements", "with --programs: do not sign each program's instructions too")
    .option("--program <name>", "with --programs: the statement is only about this program; again for others", collect)
    .option("--fix <name[=value]>", "with --programs: loaders may not change this setting; again for others", collect)
    .option("--fix-all", "with --programs: loaders may not change any setting")
    .option("--open <what>", "with --programs: loaders may change this too (see below); again for others", collect)
    .option("--out <file>", "where to write: a file, or a folder for several files or --programs")
    .option("--usage <name>", "extended key usage that a verifier asks for: codeSigning by default, or `any`", collect)
    .option("--ignore-validity", "sign with a certificate outside of its validity period")
    .option("--digest <name>", "sha256, sha384 or sha512; the key's own by default")
    .option("--pss", "RSASSA-PSS with an RSA key")
    .option(
      "--passphrase-file <file>",
      "passphrase of an encrypted key, or the token's PIN: the first line of this file",
    )
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
and sshsig, FILE.minisig for minisign. If that file has signatures by other signers, the new one is added to them, but
for raw and modsig: a keyring takes the file if it trusts one of them. An earlier signature by the same signer is
replaced.
Keys: PKCS#8, PKCS#1, SEC1; for sshsig also ssh-keygen's without a passphrase; for minisign those of \`minisign -G -W\`.

A key that is elsewhere signs in two steps: --digest-only writes FILE.digest, the digest for RSA and ECDSA, and for
Ed25519 the complete bytes; --attach takes the bare signature over that, with the same other options. ECDSA signatures
may be DER or two numbers. The signature contains no signing time, so that both steps produce the same bytes.
--signer-command also has COUNTERSIGN_DIGEST (sha256 …; empty for Ed25519), COUNTERSIGN_DIGEST_HEX and
COUNTERSIGN_SALT (for RSASSA-PSS) in its environment. What comes back is verified before anything is written.
Nothing is written that \`countersign verify\` would reject if it trusts the signer's certificate itself. If it trusts
only the authority, that certificate must also have the extended key usage codeSigning.

With --programs, a statement about the programs of each object, and its signature, are written to the folder
\`signatures\` (or --out): name that folder under \`signatures\` in the configuration. The statement describes the
programs before CO-RE relocation, so that one signature is valid on every kernel. What it covers is shown by
\`countersign inspect --statement FILE\`. Loaders may change settings: variables that are \`const volatile\`, map sizes
that the object leaves at 0, and whether a map is created. --fix NAME fixes a setting at its declared value, --fix
NAME=VALUE at another one. --open lets loaders change something that is covered by default: map:NAME.type,
map:NAME.pinned (a map that was pinned before), map:NAME.shared (a map of another process), PROGRAM.attach-target,
PROGRAM.type=ext (with attach-target, too), PROGRAM.flags=xdp_has_frags. With --type pkcs7 and kernel, each program's
instructions are signed too, for policies that use \`verify_signature(prog.insns, …)\`.

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
  countersign sign --key signer.key --cert signer.pem --programs --out signatures/ *.o
  countersign sign --key signer.key --cert signer.pem --programs --fix targ_uid=1000 --fix-all /usr/sbin/execsnoop
  countersign sign --key signer.key --cert signer.pem --programs --program count --open map:stats.pinned xdp.o`,
    )
    .action(run);
}

interface Options extends JobOptions, StamperOptions {
  readonly programs?: true;
  readonly json?: true;
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const { type, attach } = options;
  const kind = MAKERS[type];
  refuseStrayOptions(options);
  const maker = await kind.open(options.programs === true ? { ...options, namespace: STATEMENT_NAMESPACE } : options);
  const stamper = await stamperOf(options);
  if (stamper !== null && type !== "pkcs7")
    throw usage(
      "only signatures of --type pkcs7 have a place for a time stamp",
      "leave --timestamp out, or use --type pkcs7",
    );
  const jobs = options.programs === true ? programJobs(files, options) : fileJobs(files, options);
  const check = (job: Job, signature: Buffer): void =>
    checkVerifies(kind.verifiedAs, job, signature, maker.trust, options);
  for (const job of attach === undefined ? jobs : [attachedJob(jobs, maker, check)]) {
    const signature = made(maker, job);
    if (signature instanceof Unsigned) {
      tellUnsigned(job, signature, options);
      continue;
    }
    check(job, signature);
    if (job.statement !== null) writeWhole(job.statement.path, job.data);
    const bytes = stamper === null ? signature : await stamped(signature, stamper);
    writeWhole(job.out, besideOthers(kind.verifiedAs, job.out, bytes));
    const { file, program, statement, data, out } = job;
    if (options.json === true)
      printJson({ file, program, statement: statement?.path ?? null, sha256: hash("sha256", data), type, out });
    else print(`${titleOfJob(job)} -> ${statement?.path ?? out}`);
  }
}

function refuseStrayOptions({ programs, namespace, ...options }: Options): void {
  const { onlyStatements, program, fix, fixAll, open } = options;
  const about = { program, fix, "fix-all": fixAll, open, "only-statements": onlyStatements };
  const given = Object.entries(about).find(([, value]) => value !== undefined);
  if (programs !== true && given !== undefined)
    throw usage(`--${given[0]} is about statements`, "add --programs, or leave it out");
  if (programs === true && namespace !== undefined)
    throw usage("statements have a namespace of their own", "leave --namespace out");
}

/**
 * The job of which the bare signature from elsewhere is: each program of an object is signed for itself, besides the
 * statement. Throws SIGNING_FAILED.
 */
function attachedJob(jobs: readonly Job[], maker: Maker, check: (job: Job, signature: Buffer) => void): Job {
  const [first, ...others] = jobs;
  if (first === undefined || others.length === 0) return first as Job;
  if (jobs.some(({ title }) => title === null))
    throw usage(
      `--attach takes the signature of one file, and ${jobs.length} were found`,
      "name one file; --signer-command is asked once for each of several",
    );
  const fitting = jobs.find((job) => {
    try {
      check(job, made(maker, job) as Buffer);
      return true;
    } catch (error) {
      if (error instanceof CountersignError && error.code === "SIGNING_FAILED") return false;
      throw error;
    }
  });
  if (fitting !== undefined) return fitting;
  throw new CountersignError("SIGNING_FAILED", `the signature is over none of ${jobs.map(titleOfJob).join(", ")}`, {
    remedy: "have it made again, over what --digest-only writes with the same options",
  });
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

function tellUnsigned(job: Job, { digest, bytes }: Unsigned, { type, json }: Options): void {
  const { file, program, statement, data, out } = job;
  writeWhole(out, bytes);
  if (statement !== null) writeWhole(statement.path, data);
  const what = digest === null ? "the bytes to sign whole" : `the ${digest} digest to sign`;
  if (json === true)
    printJson({
      ...{ file, program, statement: statement?.path ?? null, type, digest },
      ...{ toSign: bytes.toString("hex"), out },
    });
  else print(`${titleOfJob(job)} -> ${out} (${what})`);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
