import type { HelperCall, Judgement } from "../policy/model/helper-call.js";
import { type Defined, digestOfContent } from "./definition.js";
import type { VerificationContent } from "./input-records.js";
import type { SubjectDefinition } from "./subject-definition.js";

/**
 * The calls of helpers as JSON text: see {@link CallOfRecord}. Adds the verifications that they refer to to `needed`.
 */
export function callsText(calls: readonly HelperCall[], subject: SubjectDefinition, needed: Defined[]): string {
  let text = "";
  for (const call of calls) text += `${text === "" ? "" : ","}${callText(call, subject, needed)}`;
  return text;
}

/** Map look-ups are written by hand, since most calls are one, and JSON.stringify takes twice as long. */
function callText(call: HelperCall, subject: SubjectDefinition, needed: Defined[]): string {
  const path = (data: Uint8Array) => subject.paths.get(data) ?? "";
  switch (call.call) {
    case "map_lookup": {
      const value = call.value === null ? "" : `,"value":${call.value}`;
      return `{"call":"map_lookup","map":${JSON.stringify(call.map)},"key":${JSON.stringify(call.key)}${value}}`;
    }
    case "map_update": {
      const { value, result } = call;
      const [map, key] = [JSON.stringify(call.map), JSON.stringify(call.key)];
      return `{"call":"map_update","map":${map},"key":${key},"value":${value},"result":${result}}`;
    }
    case "map_delete":
      return JSON.stringify(call);
    case "hash":
      return JSON.stringify({ ...call, data: path(call.data) });
    case "read": {
      const { data, offset, length, bytes } = call;
      const hex = bytes === null ? undefined : Buffer.from(bytes).toString("hex");
      return JSON.stringify({ call: "read", data: path(data), offset, length, bytes: hex });
    }
    case "verify_signature":
    case "signer_of": {
      const { data, signature, keyring, type, judgement } = call;
      const verification = define(keyring, judgement, needed, {
        data: subject.digests.get(data) ?? null,
        signature: signature === null ? null : (subject.digests.get(signature) ?? null),
        signature_type: type,
      });
      const paths = { data: path(data), signature: signature === null ? null : path(signature) };
      return JSON.stringify({ call: call.call, ...paths, keyring, signature_type: type, verification });
    }
    default: {
      const { keyring, judgement } = call;
      const given = { data: null, signature: null, signature_type: null };
      return JSON.stringify({ call: call.call, keyring, verification: define(keyring, judgement, needed, given) });
    }
  }
}

function define(
  keyring: string,
  { generation, verdict, reason, rule, statement, signers, paths }: Judgement,
  needed: Defined[],
  given: Pick<VerificationContent, "data" | "signature" | "signature_type">,
): string {
  const judged = { verdict, reason, rule, statement, signers, paths };
  const content: VerificationContent = { keyring, generation, ...given, ...judged };
  const text = JSON.stringify(content);
  const digest = digestOfContent(text);
  needed.push({ type: "verification", digest, content: () => text, masked: [] });
  return digest;
}
