import { readRequest } from "../../config/request.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { LruCache } from "../../lru-cache.js";
import { describedQuestion } from "../../workbench/testing/case-subjects.js";
import { printDecision } from "../output/check-output.js";
import { exitCodeOf } from "../output/checked.js";
import { EXIT } from "../output/exit.js";
import { printError, printJson } from "../output/output.js";
import { requestLines } from "./request-lines.js";

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
 * Decides about the requests of a file, one JSON object in each line, in their order, and prints each decision at once.
 * Returns the exit code: a line that is no request is printed as an error, and the others are decided. Throws what
 * reading the file throws.
 */
export async function checkRequests(engine: TimedEngine, file: string, asked: Asked): Promise<number> {
  let code: number = EXIT.ok;
  const known = new LruCache<string, Question>(MAX_KNOWN);
  for await (const { line, text } of requestLines(file)) {
    const place = `${file}:${line}`;
    try {
      let question = known.get(text);
      if (question === undefined) {
        question = asQuestion(readRequest(file, line, text), asked, place);
        if (text.length <= MAX_KNOWN_LENGTH) known.set(text, question);
      }
      const decision = await engine.decide(question);
      code = Math.max(code, exitCodeOf([{ decisions: [decision], error: null }]));
      printDecision(place, decision, asked.json, asked.isLogged);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      code = EXIT.undecided;
      if (asked.json) printJson({ request: place, decision: null, error });
      printError(error);
    }
  }
  return code;
}

function asQuestion(request: ReturnType<typeof readRequest>, asked: Asked, place: string): Question {
  const { subject, hook, current, time = asked.time } = request;
  if (subject.kind === "file") throw new TypeError("a request has no file");
  const question = describedQuestion(subject, hook ?? asked.hook ?? null, place);
  return { ...question, subject: question.subject as never, current, time };
}
