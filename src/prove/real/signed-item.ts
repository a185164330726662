import type { Origin } from "../shared/atom.js";

/** What of a witness can be signed: its program by a statement, the program's instructions, or the whole file. */
export const SIGNED_ITEMS = ["statement", "instructions", "file"] as const;
export type SignedItem = (typeof SIGNED_ITEMS)[number];

/** A question about a signature. */
export type SignatureQuestion = Extract<
  Origin,
  { readonly kind: "verify_program" | "statement_of" | "signer_of_program" | "verify_signature" | "signer_of" }
>;

/** Facts with data and their signature, and what is signed there. Instructions of a file are the same in both facts. */
const ITEMS: readonly (readonly [data: string, signature: string, item: SignedItem])[] = [
  ["prog.insns", "prog.signature", "instructions"],
  ["prog.raw_insns", "prog.signature", "instructions"],
  ["prog.object.data", "prog.object.signature", "file"],
  ["file.data", "file.signature", "file"],
  ["blob.data", "blob.signature", "file"],
];

export function isSignatureQuestion(origin: Origin): origin is SignatureQuestion {
  return "keyring" in origin;
}

/** What a question is about; null if a file for `check` cannot have such a signature. */
export function itemOf(question: SignatureQuestion): SignedItem | null {
  if (question.kind !== "verify_signature" && question.kind !== "signer_of") return "statement";
  const { data, signature, type } = question;
  const [, , item = null] = ITEMS.find(([its, over]) => its === data && over === signature) ?? [];
  return type === "PKCS7" ? item : null;
}

const PROGRAM_SIGNATURES: Readonly<Record<SignedItem, readonly string[] | null>> = {
  statement: null,
  instructions: ["signature"],
  file: ["object", "signature"],
};

/** The fact that has the signature of an item; null if there is none, as of a statement. */
export function signatureFact(item: SignedItem, argument: string): readonly string[] | null {
  if (argument === "prog") return PROGRAM_SIGNATURES[item];
  return item === "file" ? ["signature"] : null;
}
