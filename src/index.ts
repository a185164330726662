/** The public interface of the library. What is not exported here is private and can change at any time. */

export type { DecisionRequest } from "./engine/decision/request.js";
export type { FileOptions } from "./engine/files/file-questions.js";
export type { Question } from "./engine/files/load-questions.js";
export { type DecisionEngine, openEngine } from "./engine/watchdog.js";
export { ERRNO, type ErrnoName, verdictName } from "./errno.js";
export { CountersignError, ERROR_CODES, type ErrorCode } from "./error.js";
export { HOOK_NAMES, HOOKS, type HookName } from "./hooks/catalogue.js";
export type { Decision } from "./hooks/decision.js";
export type { Subject, SubjectOf } from "./hooks/subject.js";
export { type Current, ROOT_ON_HOST } from "./policy/model/current.js";
export { describedRequest } from "./workbench/requests/described-request.js";
