import { join, resolve } from "node:path";
import { type Config, parseConfig } from "../../config/config.js";
import { type RequestWithMaps, TimedEngine } from "../../engine/timed-engine.js";
import { verdictName } from "../../errno.js";
import { HOOKS, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import type { Answer, Decision } from "../../hooks/decision.js";
import { faultText } from "../../hooks/denial.js";
import { warningLine } from "../../warning.js";
import { isDeclaration, notedValue, policyOf } from "./expression.js";

/** What one line gave. */
export interface Evaluated {
  /** The value; absent for a declaration, and for a value that JSON does not have. */
  readonly value?: unknown;
  /** A value that JSON does not have, such as `undefined`. */
  readonly text?: string;
  /** The verdict that a policy would return with this value, such as `-EPERM`; absent if it would allow. */
  readonly verdict?: string;
  /** One line for each call of a helper, with its result. */
  readonly helpers: readonly string[];
  readonly steps: number;
  readonly warnings: readonly string[];
}

/** A line whose evaluation failed in the sandbox. The message says where. */
export class EvaluationFault extends Error {}

/** Evaluates lines as parts of a policy, in the sandbox and with the keyrings and maps of a configuration. */
export class Session {
  readonly #declarations: string[] = [];
  readonly #config: Config;
  readonly #file: string;
  /** The subject that lines are about, and who asks. */
  question: RequestWithMaps;

  constructor(config: Config, folder: string, question: RequestWithMaps) {
    this.#file = resolve(folder, "repl.js");
    const { attachments } = parseConfig(join(folder, "repl.yaml"), "version: 1\nattachments: [{ policy: repl.js }]\n");
    this.#config = { ...config, mode: "enforce", attachments, log: null };
    this.question = question;
  }

  /** What the subject is called, such as `prog`. */
  get argument(): string {
    return SUBJECT_KINDS[HOOKS[this.question.hook].subject].argument;
  }

  /**
   * Evaluates a line. Throws a CountersignError if it cannot be a part of a policy, such as a syntax error or an
   * unknown fact, and {@link EvaluationFault} if it failed when it was evaluated.
   */
  async evaluate(line: string): Promise<Evaluated> {
    const declares = isDeclaration(line);
    const declarations = declares ? [...this.#declarations, line] : this.#declarations;
    const text = policyOf(this.question.hook, this.argument, declarations, declares ? null : line);
    const engine = await TimedEngine.open(this.#config, { texts: new Map([[this.#file, text]]) });
    try {
      const [{ answers }] = (await engine.decideAll([this.question])) as readonly [Decision];
      const [answer] = answers as readonly [Answer];
      if (answer.fault !== null) throw new EvaluationFault(`${answer.fault.code}: ${faultText(answer.fault)}`);
      if (declares) this.#declarations.push(line);
      const warnings = engine.warnings.filter(({ place }) => place?.includes("repl.js")).map(warningLine);
      return { ...(declares ? {} : shown(answer)), helpers: answer.helpers, steps: answer.steps, warnings };
    } finally {
      engine.close();
    }
  }
}

function shown(answer: Answer): Pick<Evaluated, "value" | "text" | "verdict"> {
  const value = notedValue(answer.notes);
  const given = "json" in value ? { value: value.json } : { text: value.text };
  if (answer.denial === null) return given;
  return { ...given, verdict: `${verdictName(answer.verdict)}: ${answer.denial.reason}` };
}
