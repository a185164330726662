import { Command, Option } from "commander";
import { verdictName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { beginsAsStatement } from "../../statement-line.js";
import { readDer } from "../../trust/asn1/der.js";
import { isPem } from "../../trust/asn1/pem.js";
import { TAG } from "../../trust/asn1/tag.js";
import { FORMATS, type SignatureType } from "../../trust/formats/formats.js";
import { PKCS7 } from "../../trust/formats/pkcs7.js";
import type { Keyring, SignedStatement, SourceFile } from "../../trust/keyring.js";
import { openKeyring } from "../../trust/keyring.js";
import type { Verification } from "../../trust/model/verification.js";
import { type Step, Trace } from "../../trust/path/trace.js";
import { EXIT } from "../output/exit.js";
import { print, printJson, styled } from "../output/output.js";

/** `countersign verify`: verifies one signature. */
export function command(): Command {
  const types = [...Object.keys(FORMATS).map((type) => type.toLowerCase()), "kernel"];
  return new Command("verify")
    .description("Checks one signature")
    .argument("<file>", "what is signed")
    .option("--trust <file>", "certificates or public keys that are trusted, PEM or DER; again for more", collect)
    .option("--keyring <name>", "a keyring of the configuration instead of --trust")
    .option("--config <file>", "the configuration with that keyring", "countersign.yaml")
    .option("--signature <file>", "the signature; with --type modsig the file's own where there is none")
    .addOption(new Option("--type <type>", "how the signature is encoded").choices(types).default("pkcs7"))
    .option(
      "--usage <name>",
      "extended key usage that the certificate needs: codeSigning by default, `any` for none; again for more",
      collect,
    )
    .option("--crl <file>", "revocation lists, PEM or DER; again for more", collect)
    .option(
      "--timestamps <file>",
      "certificates of time-stamping authorities that are trusted; again for more",
      collect,
    )
    .option("--namespace <name>", "accepted namespaces of SSH signatures: file by default; again for more", collect)
    .option("--sigstore-root <file>", "Sigstore's trusted root, for --type sigstore")
    .option("--identity <subject>", "who must have signed a Sigstore bundle; with --issuer")
    .option("--issuer <url>", "who vouched for that identity")
    .addOption(
      new Option(
        "--profile <profile>",
        "with `compatible`, without the rules of RFC 5280 for CAs that issue certificates",
      )
        .choices(["strict", "compatible"])
        .default("strict"),
    )
    .option("--ignore-validity", "do not check the dates of certificates, as the kernel does not")
    .option("--at <time>", "verify as of this time, such as 2026-01-31T12:00:00Z; now by default")
    .option("--explain", "show the certificate paths that were tried, and the result of each rule")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Exits with 0 if the signature verifies, 1 if it is rejected, or 2 if it could not be checked, such as a file that cannot
be read.

Examples:
  countersign verify --trust ca.pem --signature policy.bin.p7s policy.bin
  countersign verify --trust id_ed25519.pub --type sshsig --signature policy.bin.sig policy.bin
  countersign verify --keyring platform --type modsig driver.ko --explain
  countersign verify --trust ca.pem --signature signatures/01fd44….p7s signatures/01fd44….statement`,
    )
    .action(run);
}

interface Options {
  readonly trust?: readonly string[];
  readonly keyring?: string;
  readonly config: string;
  readonly signature?: string;
  readonly type: string;
  readonly profile: "strict" | "compatible";
  readonly usage?: readonly string[];
  readonly crl?: readonly string[];
  readonly timestamps?: readonly string[];
  readonly namespace?: readonly string[];
  readonly sigstoreRoot?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly ignoreValidity?: true;
  readonly at?: string;
  readonly explain?: true;
  readonly json?: true;
}

async function run(file: string, options: Options): Promise<void> {
  const type = (options.type === "kernel" ? "PKCS7" : options.type.toUpperCase()) as SignatureType;
  const at = options.at === undefined ? Date.now() : momentOf(options.at);
  const keyring =
    options.keyring === undefined ? givenKeyring(options) : await configuredKeyring(options, options.keyring);
  const data = readInput(file);
  const signature = options.signature === undefined ? null : readInput(options.signature);
  if (signature === null && FORMATS[type].detached)
    throw new CountersignError("USAGE", "there is no signature to check", { remedy: "name it with --signature" });
  if (signature !== null && type === "PKCS7") checkIsMessage(options.signature as string, signature);
  const trace = options.explain === true ? new Trace() : null;
  const verification =
    beginsAsStatement(data) && signature !== null
      ? keyring.verifyStatement(await signedStatement(file, data), signature, type, at, trace)
      : keyring.verify(data, signature, type, at, trace);
  show(file, verification, trace, options.json === true);
  process.exitCode = verification.verdict === 0 ? EXIT.ok : EXIT.denied;
}

/** Throws STATEMENT_MALFORMED, STATEMENT_UNSUPPORTED. */
async function signedStatement(file: string, bytes: Uint8Array): Promise<SignedStatement> {
  const { parseStatement } = await import("../../bpf/statement.js");
  try {
    return { bytes, objectSha256: parseStatement(bytes).content.program.object.sha256 };
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function show(file: string, verification: Verification, trace: Trace | null, json: boolean): void {
  const { verdict, reason, rule, signer, until } = verification;
  const name = verdict === 0 ? "good" : verdictName(verdict);
  if (json) {
    const good = verdict === 0;
    const validUntil = Number.isFinite(until) ? new Date(until).toISOString() : null;
    printJson({
      file,
      good,
      verdict,
      errno: good ? null : name.slice(1),
      reason,
      rule,
      signer,
      until: validUntil,
      ...(trace === null ? {} : { message: trace.message, paths: trace.paths }),
    });
    return;
  }
  const shown = styled(verdict === 0 ? "green" : "red", name);
  print(`${file}: ${shown}: ${reason}${rule === null ? "" : ` [${rule}]`}`);
  if (trace === null) return;
  if (trace.message.length > 0) print("  message");
  trace.message.forEach(showStep);
  for (const { path, steps } of trace.paths) {
    print(`  path: ${path.join(" > ")}`);
    steps.forEach(showStep);
  }
}

function showStep({ about, section, rule, rejected }: Step): void {
  const outcome = rejected === null ? styled("green", "ok    ") : styled("red", "failed");
  print(`    ${outcome} ${rule} [${section}] ${about}${rejected === null ? "" : `: ${rejected}`}`);
}

function givenKeyring(options: Options): Keyring {
  const { trust = [], usage = ["codeSigning"], crl = [], timestamps = [], namespace = [] } = options;
  const { sigstoreRoot, ignoreValidity, profile } = options;
  if (trust.length === 0 && sigstoreRoot === undefined)
    throw new CountersignError("USAGE", "nothing is trusted", {
      remedy: "name certificates with --trust, or a keyring with --keyring",
    });
  return openKeyring("command line", {
    trust: trust.map(source),
    revoked: { crls: crl.map(source), certificates: [], digests: [] },
    usage,
    validity: ignoreValidity === true ? "ignore" : "now",
    profile,
    ...(timestamps.length === 0 ? {} : { timestamps: { trust: timestamps.map(source) } }),
    ...(namespace.length === 0 ? {} : { ssh: { namespaces: namespace } }),
    ...(sigstoreRoot === undefined
      ? {}
      : { sigstore: { root: source(sigstoreRoot), identities: identitiesIn(options) } }),
  });
}

function identitiesIn({ identity, issuer }: Options): readonly { subject: string; issuer: string }[] {
  if (identity === undefined && issuer === undefined) return [];
  if (identity !== undefined && issuer !== undefined) return [{ subject: identity, issuer }];
  throw new CountersignError("USAGE", "--identity and --issuer belong together", { remedy: "give both" });
}

/** The configuration is imported only here: it imports zod, which takes longer to load than a verification. */
async function configuredKeyring({ config, trust }: Options, name: string): Promise<Keyring> {
  if (trust !== undefined)
    throw new CountersignError("USAGE", "--trust and --keyring are given both", { remedy: "leave one of them out" });
  const { readConfig } = await import("../../config/config.js");
  const { rulesOf } = await import("../../config/keyring-files.js");
  const { otherKeyring } = await import("../input/keyring-config.js");
  const { keyrings } = readConfig(config);
  const found = keyrings.find((keyring) => keyring.name === name);
  if (found === undefined)
    throw new CountersignError("CONFIG_INVALID", `there is no keyring \`${name}\``, {
      place: config,
      remedy: otherKeyring(keyrings),
    });
  return openKeyring(name, rulesOf(found));
}

/** Throws SIGNATURE_MALFORMED for a file that is not DER at all: the wrong file was named, and exit code 2 says so. */
function checkIsMessage(path: string, bytes: Uint8Array): void {
  try {
    for (const message of PKCS7.several.split(bytes)) readDer(message, TAG.sequence, "a CMS message");
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    const remedy = isPem(bytes)
      ? "turn it into DER: `openssl cms -cmsout -inform PEM -outform DER`"
      : "name the signature in DER, as `countersign sign` or `openssl cms -sign -outform DER` writes it";
    const place = error.place === undefined ? path : `${path}: ${error.place}`;
    throw new CountersignError("SIGNATURE_MALFORMED", `is not a signature (-EBADMSG): ${error.message}`, {
      place,
      remedy,
      cause: error,
    });
  }
}

function momentOf(text: string): number {
  const moment = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(moment))
    throw new CountersignError("USAGE", `\`${text}\` is not a time`, { remedy: "write it as 2026-01-31T12:00:00Z" });
  return moment;
}

function source(path: string): SourceFile {
  return { path, bytes: readInput(path) };
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
