import { readRequest } from "../../config/request.js";
import { shadowDifferences } from "../../engine/shadow-change.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import { LruCache } from "../../lru-cache.js";
import { describedQuestion } from "../../workbench/testing/case-subjects.js";
import { decisionText } from "../output/check-output.js";
import { exitCodeOf } from "../output/checked.js";
import { EXIT } from "../output/exit.js";
import { jsonText, print, printError } from "../output/output.js";
import type { OpenedEngines } from "./open-engine.js";
import { type RequestLine, requestLines } from "./request-lines.js";

type Question = Parameters<TimedEngine["decide"]>[0];

/** How many questions are kept by the text of their request, and of which length: the same are often asked again. */
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 4096;

interface Asked {
  readonly hook?: HookName | undefined;
  /** The time of requests that name none, in milliseconds since the epoch. */
  readonly time?: number | undefined;
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
  const known = new LruCache<string, Question>(MAX_KNOWN);
  const read = ({ line, text }: RequestLine): Question | CountersignError => {
    const before = known.get(text);
    if (before !== undefined) return before;
    try {
      const question = asQuestion(readRequest(file, line, text), asked, `${file}:${line}`);
      if (text.length <= MAX_KNOWN_LENGTH) known.set(text, question);
      return question;
    } catch (error) {
      if (error instanceof CountersignError) return error;
      throw error;
    }
  };
  for await (const lines of requestLines(file)) {
    const questions = lines.map(read);
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

function isQuestion(one: Question | CountersignError): one is Question {
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

async function decide({ engine, shadow }: OpenedEngines, questions: readonly Question[]): Promise<readonly Decided[]> {
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

function asQuestion(request: ReturnType<typeof readRequest>, asked: Asked, place: string): Question {
  const { subject, hook, current, time = asked.time } = request;
  const question = describedQuestion(subject, hook ?? asked.hook ?? null, place);
  return { ...question, subject: question.subject as never, current, time };
}
