import { CountersignError, type ErrorCode } from "../error.js";
import type { Relocated } from "./relocate.js";
import type { ResolvedProgram } from "./resolved-object.js";

/** A program as it is on a kernel, in values that JSON can represent. */
export interface StoredProgram extends Omit<ResolvedProgram, "relocated" | "error"> {
  readonly relocated: StoredRelocation | null;
  readonly error: ReturnType<CountersignError["toJSON"]> | null;
}

interface StoredRelocation extends Omit<Relocated, "insns" | "slots"> {
  /** Base64. */
  readonly insns: string;
  readonly slots: readonly number[] | null;
}

/**
 * The programs of an object for a later process. Null if one has an error that is not about its relocation, such as one
 * in the kernel's BTF, whose place is in a file.
 */
export function storedPrograms(programs: readonly ResolvedProgram[]): readonly StoredProgram[] | null {
  if (programs.some(({ error }) => error !== null && !isAboutRelocation(error.code))) return null;
  return programs.map(({ relocated, error, ...program }) => ({
    ...program,
    relocated: relocated === null ? null : storedRelocation(relocated),
    error: error?.toJSON() ?? null,
  }));
}

function isAboutRelocation(code: ErrorCode): boolean {
  return code.startsWith("CORE_") || code === "KERNEL_LACKS";
}

function storedRelocation({ insns, slots, ...relocated }: Relocated): StoredRelocation {
  const bytes = Buffer.from(insns.buffer, insns.byteOffset, insns.length);
  return { ...relocated, insns: bytes.toString("base64"), slots: slots === null ? null : [...slots] };
}

/** The same programs as they were stored. */
export function restoredPrograms(stored: readonly StoredProgram[]): readonly ResolvedProgram[] {
  return stored.map(({ relocated, error, ...program }) => ({
    ...program,
    relocated: relocated === null ? null : restoredRelocation(relocated),
    error: error === null ? null : restoredError(error),
  }));
}

function restoredRelocation({ insns, slots, ...relocated }: StoredRelocation): Relocated {
  const bytes = new Uint8Array(Buffer.from(insns, "base64"));
  return { ...relocated, insns: bytes, slots: slots === null ? null : Uint32Array.from(slots) };
}

function restoredError({ code, message, place, remedy }: NonNullable<StoredProgram["error"]>): CountersignError {
  return new CountersignError(code, message, { place: place ?? undefined, remedy: remedy ?? undefined });
}
