import type { MapFacts, ProgramSubject } from "../bpf/model/facts.js";
import type { FactFields, FactsOf } from "../fact-type.js";
import type { HOOKS, HookName, SUBJECT_KINDS, SubjectKind } from "./catalogue.js";
import type { CommandSubject } from "./command.js";

/** The facts of subjects that are not in their row of {@link SUBJECT_KINDS}. */
interface Bases {
  program: ProgramSubject;
  map: MapFacts;
  command: CommandSubject;
}

type Own<Row> = Row extends { readonly fields: infer F extends FactFields } ? FactsOf<F> : unknown;
type SubjectByKind = {
  [K in SubjectKind]: (K extends keyof Bases ? Bases[K] : unknown) & Own<(typeof SUBJECT_KINDS)[K]>;
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
