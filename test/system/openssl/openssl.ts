/** OpenSSL's own opinion, of many cases in one process. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** One case as OpenSSL is asked about it; bytes are DER. `at` in milliseconds since the epoch. */
export type Question =
  | {
      readonly kind: "message";
      readonly at: number;
      readonly anchor: Buffer;
      readonly data: Buffer;
      readonly signature: Buffer;
    }
  | {
      readonly kind: "chain";
      readonly at: number;
      readonly anchor: Buffer;
      readonly leaf: Buffer;
      readonly untrusted: readonly Buffer[];
      /** \`-x509_strict\`. */
      readonly strict: boolean;
    };

/** Compiles the judge into a folder; null where there is no compiler or no OpenSSL to compile against. */
export function buildJudge(folder: string): string | null {
  if (!existsSync("/usr/include/openssl/cms.h")) return null;
  const program = join(folder, "judge");
  const source = join(import.meta.dirname, "judge.c");
  const { status, error } = spawnSync("cc", ["-O2", "-o", program, source, "-lcrypto"], { stdio: "pipe" });
  if (error !== undefined) return null;
  if (status !== 0) throw new Error("judge.c does not compile");
  return program;
}

/** `ok`, or what OpenSSL does not like, for each question. */
export function askOpenSsl(judge: string, questions: readonly Question[]): readonly string[] {
  const input = Buffer.concat(questions.flatMap(encode));
  const out = execFileSync(judge, { input, maxBuffer: 256 * 1024 * 1024, encoding: "utf8" });
  const lines = out.split("\n").slice(0, -1);
  if (lines.length !== questions.length) throw new Error(`${lines.length} answers to ${questions.length} questions`);
  return lines;
}

function encode(question: Question): readonly Buffer[] {
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(Math.floor(question.at / 1000)));
  if (question.kind === "message") {
    const { anchor, data, signature } = question;
    return [Buffer.from("c"), ...[time, anchor, data, signature].flatMap(field)];
  }
  const { anchor, leaf, untrusted, strict } = question;
  return [
    Buffer.from(strict ? "s" : "v"),
    ...[time, anchor, leaf, Buffer.of(untrusted.length), ...untrusted].flatMap(field),
  ];
}

function field(bytes: Buffer): readonly Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return [length, bytes];
}
