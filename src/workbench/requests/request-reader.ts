import { readRequest } from "../../config/request.js";
import type { RequestWithMaps, TimedEngine } from "../../engine/timed-engine.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { LruCache } from "../../lru-cache.js";
import type { Contents } from "../replay/recorded-inputs.js";
import { describedQuestion } from "../testing/case-subjects.js";
import { RecordedQuestions } from "./recorded-questions.js";

/** How many questions are kept by the text of their request, and of which length: the same are often asked again. */
const MAX_KNOWN = 1024;
const MAX_KNOWN_LENGTH = 4096;

/** What a request need not say. */
export interface AskedByDefault {
  /** The hook of described subjects that name none; undefined for the one that fits the subject. */
  readonly hook?: HookName | undefined;
  /** The time of requests that name none, in milliseconds since the epoch. */
  readonly time?: number | undefined;
  /** Has the bytes that recorded requests have by their digest. */
  readonly programs: Contents | null;
}

/** Makes questions of the lines of a file of requests. */
export class RequestReader {
  readonly #known = new LruCache<string, RequestWithMaps>(MAX_KNOWN);
  readonly #recorded: RecordedQuestions;

  constructor(
    private readonly file: string,
    private readonly asked: AskedByDefault,
    private readonly engine: Pick<TimedEngine, "requireContents">,
  ) {
    this.#recorded = new RecordedQuestions(asked.programs);
  }

  /** The question that a line asks, or the error with its place if it asks none. */
  question(line: number, text: string): RequestWithMaps | CountersignError {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    try {
      const question = this.#made(line, text);
      if (text.length <= MAX_KNOWN_LENGTH) this.#known.set(text, question);
      return question;
    } catch (error) {
      if (error instanceof CountersignError) return error;
      throw error;
    }
  }

  #made(line: number, text: string): RequestWithMaps {
    const request = readRequest(this.file, line, text);
    const { time = this.asked.time } = request;
    const place = `${this.file}:${line}`;
    const maps = Object.keys(request.maps).length === 0 ? undefined : request.maps;
    if (maps !== undefined) this.#requireContents(maps, place);
    if (request.form === "recorded") return { ...this.#recorded.question(request), time, maps };
    const { hook, subject } = describedQuestion(request.subject, request.hook ?? this.asked.hook ?? null, place);
    return { hook, subject: subject as never, current: request.current, time, maps };
  }

  #requireContents(maps: NonNullable<RequestWithMaps["maps"]>, place: string): void {
    try {
      this.engine.requireContents(maps);
    } catch (error) {
      throw error instanceof CountersignError ? error.within(place) : error;
    }
  }
}
