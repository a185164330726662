/** The public interface of the library. What is not exported here is private and can change at any time. */

export type { FileOptions } from "./engine/file-questions.js";
export type { Question } from "./engine/offline-load.js";
export type { DecisionRequest } from "./engine/request.js";
export { type DecisionEngine, openEngine } from "./engine/watchdog.js";
export { ERRNO, type ErrnoName, verdictName } from "./errno.js";
export { CountersignError, ERROR_CODES, type ErrorCode } from "./error.js";
export { HOOK_NAMES, HOOKS, type HookName } from "./hooks/catalogue.js";
export type { Decision } from "./hooks/decision.js";
export type { Subject, SubjectOf } from "./hooks/subject.js";
export { type Current, ROOT_ON_HOST } from "./policy/current.js";
