import { readRequest } from "../../config/request.js";
import { shadowDifferences } from "../../engine/shadow-change.js";
import type { TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { LruCache } from "../../lru-cache.js";
import { describedQuestion } from "../../workbench/testing/case-subjects.js";
import { printDecision } from "../output/check-output.js";
import { exitCodeOf } from "../output/checked.js";
import { EXIT } from "../output/exit.js";
import { printError, printJson } from "../output/output.js";
import type { OpenedEngines } from "./open-engine.js";
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
 * Decides about the requests of a file, one JSON object in each line, in their order, and prints each decision at once,
 * with what the shadow would decide otherwise. Returns the exit code: a line that is no request is printed as an error,
 * and the others are decided. Throws what reading the file throws.
 */
export async function checkRequests(engines: OpenedEngines, file: string, asked: Asked): Promise<number> {
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
      const { decision, changes } = await decide(engines, question);
      code = Math.max(code, exitCodeOf([{ decisions: [decision], error: null }]));
      printDecision(place, decision, changes, asked.json, asked.isLogged);
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      code = EXIT.undecided;
      if (asked.json) printJson({ request: place, decision: null, error });
      printError(error);
    }
  }
  return code;
}

async function decide({ engine, shadow }: OpenedEngines, question: Question) {
  const decision = await engine.decide(question);
  if (shadow === null) return { decision, changes: null };
  const decisions = shadow.engine.serves(question.hook) ? [await shadow.engine.decide(question)] : [];
  const changes = shadowDifferences(shadow.file, [decision], decisions);
  for (const change of changes) engine.logDifference(change);
  return { decision, changes };
}

function asQuestion(request: ReturnType<typeof readRequest>, asked: Asked, place: string): Question {
  const { subject, hook, current, time = asked.time } = request;
  const question = describedQuestion(subject, hook ?? asked.hook ?? null, place);
  return { ...question, subject: question.subject as never, current, time };
}
