import { shadowDifferences } from "../../engine/shadow-change.js";
import type { RequestWithMaps } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { Decision } from "../../hooks/decision.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import { type AskedByDefault, RequestReader } from "../../workbench/requests/request-reader.js";
import { decisionText } from "../output/check-output.js";
import { exitCodeOf } from "../output/checked.js";
import { EXIT } from "../output/exit.js";
import { jsonText, print, printError } from "../output/output.js";
import type { OpenedEngines } from "./open-engine.js";
import { requestLines } from "./request-lines.js";

interface Asked extends AskedByDefault {
  readonly json: boolean;
  readonly isLogged: boolean;
}

/**
 * Decides about the requests of a file, one JSON object in each line, in their order, and prints each group of lines
 * once it is decided, with what the shadow would decide otherwise. Returns the exit code: a line that is no request is
 * printed as an error, and the others are decided. Throws what reading the file throws.
 */
export async function checkRequests(engines: OpenedEngines, file: string, asked: Asked): Promise<number> {
  let code: number = EXIT.ok;
  const reader = new RequestReader(file, asked, engines.engine);
  for await (const lines of requestLines(file)) {
    const questions = lines.map(({ line, text }) => reader.question(line, text));
    const decided = (await decide(engines, questions.filter(isQuestion))).values();
    const output = new OrderedOutput();
    for (const [index, { line }] of lines.entries()) {
      const place = `${file}:${line}`;
      const question = questions[index]!;
      if (isQuestion(question)) {
        const { decision, changes } = decided.next().value!;
        code = Math.max(code, exitCodeOf([{ decisions: [decision], error: null }]));
        output.add(decisionText(place, decision, changes, asked.json, asked.isLogged));
      } else {
        code = EXIT.undecided;
        if (asked.json) output.add(jsonText({ request: place, decision: null, error: question }));
        output.addError(question);
      }
    }
    output.flush();
  }
  return code;
}

function isQuestion(one: RequestWithMaps | CountersignError): one is RequestWithMaps {
  return !(one instanceof CountersignError);
}

/** Lines for standard output, written together: a write for each takes longer than a decision. */
class OrderedOutput {
  #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
  }

  addError(error: CountersignError): void {
    this.flush();
    printError(error);
  }

  flush(): void {
    if (this.#lines.length > 0) print(this.#lines.join("\n"));
    this.#lines = [];
  }
}

interface Decided {
  readonly decision: Decision;
  /** What the shadow would decide otherwise; null without a shadow. */
  readonly changes: readonly ShadowDifference[] | null;
}

async function decide(
  { engine, shadow }: OpenedEngines,
  questions: readonly RequestWithMaps[],
): Promise<readonly Decided[]> {
  const decisions = await engine.decideAll(questions);
  if (shadow === null) return decisions.map((decision) => ({ decision, changes: null }));
  const asked = questions.filter(({ hook }) => shadow.engine.serves(hook));
  const others = (await shadow.engine.decideAll(asked)).values();
  return decisions.map((decision) => {
    const other = shadow.engine.serves(decision.hook) ? [others.next().value!] : [];
    const changes = shadowDifferences(shadow.file, [decision], other);
    for (const change of changes) engine.logDifference(change);
    return { decision, changes };
  });
}
