import * as z from "zod";
import { ERRNO } from "../errno.js";
import { HOOK_NAMES, type HookName } from "../hooks/catalogue.js";
import { readText } from "../input.js";
import { FAULT_CODES } from "../policy/model/outcome.js";
import { Document } from "./document.js";
import { validated } from "./issue.js";

/** One case of a policy's test: a question and the expected answer. */
export interface PolicyCase {
  /** `file:line:column` of the case. */
  readonly place: string;
  readonly file: string;
  readonly hook: HookName | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly uid: number | undefined;
  readonly comm: string | undefined;
  /**
   * `allow`, `deny`, a verdict by name such as `-EPERM`, `fault` or `fault CODE` if the policy is expected to fail, or
   * `not asked` if it is expected to be out of scope.
   */
  readonly expect: string;
  /** Text that the reason, or the message of the fault, must contain. */
  readonly reason: string | undefined;
}

const verdicts = Object.keys(ERRNO).map((name) => `-${name}`);
const faults = ["fault", ...FAULT_CODES.map((code) => `fault ${code}`)];
export const CASES = z.array(
  z.strictObject({
    file: z.string().min(1, { error: "is empty; name the file of the case" }),
    hook: z.enum(HOOK_NAMES as [HookName]).optional(),
    labels: z.record(z.string(), z.string()).default({}),
    uid: z.int().min(0).max(4294967295).optional(),
    comm: z.string().optional(),
    expect: z.enum(["allow", "deny", "not asked", ...verdicts, ...faults]),
    reason: z.string().optional(),
  }),
);

const MAX_CASES = 2 ** 20;

/** Reads the test of a policy. Throws FILE_UNREADABLE, FILE_TOO_LARGE, and CONFIG_INVALID with the place. */
export function readCases(file: string): readonly PolicyCase[] {
  const document = new Document(file, readText(file, MAX_CASES), "CONFIG_INVALID");
  return validated(document, CASES).map((given, index) => ({
    place: document.place([index]),
    file: given.file,
    hook: given.hook,
    labels: given.labels,
    uid: given.uid,
    comm: given.comm,
    expect: given.expect,
    reason: given.reason,
  }));
}
