import { isVerdict, verdictName } from "../errno.js";
import { didYouMean } from "../nearest.js";
import type { Reply, Stop, Told } from "../sandbox/reply.js";
import type { Limits } from "./attachment.js";
import type { LinkedPolicy } from "./linker/linker.js";
import { FACTS } from "./model/facts.gen.js";
import { GUEST_MODULE } from "./model/guest.js";
import type { Fault, FaultCode, Outcome } from "./model/outcome.js";

const NONE: readonly never[] = Object.freeze([]);

/** Converts the sandbox's reply to an outcome. */
export function outcomeOfReply(reply: Reply, policy: LinkedPolicy, limits: Limits): Outcome {
  const { stop, verdict, steps, told } = reply;
  if (stop === null && told === null)
    return { verdict, fault: null, reason: null, unusedReasons: NONE, notes: NONE, answers: NONE, steps };
  const fault =
    stop !== null ? faultOf(stop, told!, policy, limits) : isVerdict(verdict) ? null : badNumber(verdict, policy);
  return {
    verdict: fault === null ? verdict : null,
    fault,
    ...reasonsOf(fault === null ? verdict : 0, told!),
    notes: notesOf(told!),
    answers: answersOf(told!),
    steps,
  };
}

/** The fault's code and message for each way in which a policy can be stopped. */
const STOPS: Readonly<Record<Stop, readonly [FaultCode, (told: Told, limits: Limits) => string]>> = {
  threw: ["POLICY_ERROR", thrown],
  unknown: ["UNKNOWN_FACT", unknownFact],
  "unknown input": ["UNKNOWN_FACT", ({ host }) => clip(host ?? "", MAX_HOST)],
  unused: ["UNUSED_DENIAL", unusedDenial],
  wrong: ["BAD_RETURN_VALUE", ({ wrong }) => `answered ${wrong}, not 0 or a negative errno`],
  steps: ["OUT_OF_STEPS", (_, { steps }) => `used more than its ${steps} steps`],
  time: ["OUT_OF_TIME", (_, { timeout }) => `took longer than its ${timeout} ms`],
  memory: ["OUT_OF_MEMORY", (_, { memory }) => `ran out of its ${memory} bytes of memory`],
  stack: ["OUT_OF_STACK", (_, { stack }) => `ran out of its ${stack} bytes of stack`],
  internal: ["INTERNAL_FAULT", ({ host }) => clip(host ?? "the sandbox failed", MAX_HOST)],
};

/** Maximum length in characters of a message of the host, which can contain text of the policy. */
const MAX_HOST = 1024;

function faultOf(stop: Stop, told: Told, policy: LinkedPolicy, limits: Limits): Fault {
  const [code, message] = STOPS[stop];
  return { code, message: message(told, limits), place: placeOf(told, policy) };
}

function thrown({ error, host }: Told): string {
  const { name, message } = error!;
  const words = name === "" ? `threw ${message}` : `threw ${name}: ${message}`;
  return host === undefined ? words : `${words} (${clip(host, MAX_HOST)})`;
}

/** Whether facts of this kind have the name, and these lack it, since it is unknown. */
function isLacking({ name, known }: NonNullable<Told["unknown"]>): boolean {
  return Object.values<Readonly<Record<string, string>>>(FACTS).some(
    (facts) => Object.hasOwn(facts, name) && known.every((key) => Object.hasOwn(facts, key) || key in Object.prototype),
  );
}

/** The fact's name is missing if the guest had no memory left. */
function unknownFact({ unknown }: Told): string {
  if (unknown === null) return "read a fact that does not exist";
  const what = unknown.isMember ? "name" : "fact";
  const owner = unknown.isMember ? ` of \`${GUEST_MODULE}\`` : "";
  if (!unknown.isMember && isLacking(unknown))
    return `read the fact \`${unknown.name}\`, which is unknown here: ask \`"${unknown.name}" in …\` first`;
  return `read the ${what} \`${unknown.name}\`${owner}, which does not exist${didYouMean(unknown.name, unknown.known)}`;
}

/** The reason is missing if the guest had no memory left. */
function unusedDenial({ unused }: Told): string {
  const reason = unused === null ? "" : ` ${JSON.stringify(unused.reason)}`;
  return `the denial${reason} has no effect: the value of this call is not used`;
}

function badNumber(verdict: number, policy: LinkedPolicy): Fault {
  return { code: "BAD_RETURN_VALUE", message: `answered ${verdict}, not 0 or a negative errno`, place: policy.file };
}

/** The innermost frame of the stack that is in the policy's own text. */
function placeOf({ error, unknown, unused }: Told, policy: LinkedPolicy): string {
  const [, line, column] = /\bpolicy:(\d+):(\d+)/.exec((unknown ?? unused ?? error)?.stack ?? "") ?? [];
  return line === undefined ? policy.file : policy.locate(Number(line), Number(column), unknown?.name);
}

/** The reason is that of the last `deny` that returned this verdict. All other reasons are unused. */
function reasonsOf(verdict: number, told: Told): Pick<Outcome, "reason" | "unusedReasons"> {
  const { refusals, refusalsMade } = told;
  let reason: string | null = null;
  const unused: string[] = [];
  for (let index = refusals.length - 2; index >= 0; index -= 2) {
    const words = String(refusals[index + 1]);
    if (reason === null && verdict !== 0 && refusals[index] === verdict) reason = words;
    else unused.unshift(words);
  }
  const left = refusalsMade - refusals.length / 2;
  if (left > 0) unused.push(`${left} earlier reasons were left out`);
  return { reason, unusedReasons: unused };
}

function notesOf({ notes, notesMade }: Told): readonly string[] {
  const left = notesMade - notes.length;
  return left > 0 ? [...notes, `${left} more notes were left out`] : notes;
}

/** Each answer is four values: helper, two arguments, and result. */
function answersOf({ answers, answersMade }: Told): readonly string[] {
  const lines: string[] = [];
  for (let index = 0; index < answers.length; index += 4) {
    const [helper, first, second, result] = answers.slice(index, index + 4);
    const asked = [helper, first, second].filter((part) => part !== "").map((part) => clip(String(part)));
    lines.push(`${asked.join(" ")}: ${resultName(result)}`);
  }
  const left = answersMade - lines.length;
  if (left > 0) lines.push(`${left} more answers were left out`);
  return lines;
}

function resultName(result: unknown): string {
  if (typeof result === "number") return verdictName(result);
  if (typeof result === "boolean") return result ? "found" : "not found";
  return clip(String(result));
}

function clip(text: string, length = 256): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The outcome for a policy that could not be asked. */
export function notAsked(message: string, place: string): Outcome {
  const code = "INTERNAL_FAULT";
  return {
    verdict: null,
    fault: { code, message, place },
    reason: null,
    unusedReasons: NONE,
    notes: NONE,
    answers: NONE,
    steps: 0,
  };
}
