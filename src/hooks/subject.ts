import type { MapFacts, ProgramSubject } from "../bpf/model/facts.js";
import type { FactsOf } from "../fact-type.js";
import type { HOOKS, HookName, SubjectKind } from "./catalogue.js";
import type { CommandSubject } from "./command.js";
import type { OWN_FIELDS } from "./subject-fields.js";

/** The facts of subjects that are not in their row of {@link OWN_FIELDS}. */
interface Bases {
  program: ProgramSubject;
  map: MapFacts;
  command: CommandSubject;
}

type Own<K> = K extends keyof typeof OWN_FIELDS ? FactsOf<(typeof OWN_FIELDS)[K]> : unknown;
type SubjectByKind = {
  [K in SubjectKind]: (K extends keyof Bases ? Bases[K] : unknown) & Own<K>;
};
/** An interface, so that TypeScript knows that every `SubjectOf<H>` has a name and a digest. */
interface Subjects extends SubjectByKind {}

/** What a decision is about. Only the engine makes subjects. */
export type Subject = Subjects[SubjectKind];
export type SubjectOf<H extends HookName> = Subjects[(typeof HOOKS)[H]["subject"]];
export type MapSubject = Subjects["map"];
export type TokenSubject = Subjects["token"];
export type FileSubject = Subjects["file"];
export type BlobSubject = Subjects["blob"];
