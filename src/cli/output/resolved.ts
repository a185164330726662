import type { Variant } from "../../bpf/core/variant.js";
import type { Relocated } from "../../bpf/relocate.js";
import type { ResolvedProgram } from "../../bpf/resolved-object.js";
import { type CountersignError, type ErrorCode, oneLine } from "../../error.js";
import { hasConstantDigest } from "../kernel/allow-list.js";
import type { ResolvedObject } from "../kernel/resolved-file.js";
import type { TargetKernel } from "../kernel/target-kernel.js";
import { print, styled } from "./output.js";
import { table } from "./table.js";

/** The objects of one file, or the error because of which there are none. */
export interface Resolved {
  readonly file: string;
  readonly objects: readonly ResolvedObject[];
  readonly error: CountersignError | null;
}

/** Prints a table with a program in each row, then a summary. */
export function printResolved(resolved: readonly Resolved[], kernel: TargetKernel, variant: Variant): void {
  const programs = resolved.flatMap(({ file, objects }) =>
    objects.flatMap((object) => object.programs.map((program) => ({ file, program }))),
  );
  if (programs.length === 0) return;
  const rows = programs.map(({ file, program }) => [
    oneLine(file),
    oneLine(program.name),
    program.type,
    program.tag ?? "-",
    resultOf(program),
  ]);
  print(table(["FILE", "PROGRAM", "TYPE", "TAG", "DIGEST"], rows));
  const { count, obstacles } = summary(programs.map(({ program }) => program));
  print(`\n${[`${count} on ${kernelText(kernel)}, by ${variant}`, ...obstacles].join("; ")}`);
}

function resultOf({ relocated, error }: ResolvedProgram): string {
  if (relocated === null) return styled("red", reasonOf(error!));
  if (!hasConstantDigest(relocated)) return styled("red", oneLine(`changes at each load: ${fdText(relocated)}`));
  return error === null
    ? relocated.digest
    : `${relocated.digest}; ${styled("yellow", oneLine(`${error.message} [${error.code}]`))}`;
}

function fdText({ modules }: Relocated): string {
  const names = [...new Set(modules.filter(({ index }) => index === null).map(({ module }) => module))];
  return `its instructions hold the fd of the BTF of ${names.length === 1 ? "module" : "modules"} ${names.join(", ")}`;
}

function reasonOf(error: CountersignError): string {
  if (error.code === "CORE_NEEDS_KALLSYMS") return `needs kallsyms: ${oneLine(error.message)}`;
  const place = error.place?.replace(/^program [^:]*(?:: )?/, "") ?? "";
  return oneLine(`cannot load: ${place === "" ? "" : `${place}: `}${error.message} [${error.code}]`);
}

function kernelText({ name, hasModules }: TargetKernel): string {
  return `${name}${hasModules ? "" : " without its modules"}`;
}

function summary(programs: readonly ResolvedProgram[]): { readonly count: string; readonly obstacles: string[] } {
  const known = programs.filter(({ relocated }) => relocated !== null);
  const resolved = programs.filter(({ relocated }) => hasConstantDigest(relocated));
  const changing = known.length - resolved.length;
  const count = (code: ErrorCode) => resolved.filter(({ error }) => error?.code === code).length;
  const [targets, unusable] = [count("CORE_UNRESOLVED"), count("KERNEL_LACKS")];
  const symbols = programs.filter(({ error }) => error?.code === "CORE_NEEDS_KALLSYMS").length;
  const failed = programs.length - known.length - symbols;
  const obstacles = [
    ...(targets === 0 ? [] : [`${targets} of them ${targets === 1 ? "lacks its" : "lack their"} attach target`]),
    ...(unusable === 0 ? [] : [`${unusable} of them ${unusable === 1 ? "uses" : "use"} what the kernel lacks`]),
    ...(changing === 0 ? [] : [`${changing} ${changing === 1 ? "changes" : "change"} at each load`]),
    ...(symbols === 0 ? [] : [`${symbols} ${symbols === 1 ? "needs" : "need"} kallsyms`]),
    ...(failed === 0 ? [] : [`${failed} cannot load`]),
  ];
  const noun = programs.length === 1 ? "program" : "programs";
  return { count: `${resolved.length} of ${programs.length} ${noun} resolved`, obstacles };
}

/** A file's objects and programs in the form of --json. */
export function resolvedJson({ file, objects, error }: Resolved, kernel: TargetKernel, variant: Variant): object {
  if (error !== null) return { file, error };
  return {
    file,
    kernel,
    variant,
    objects: objects.map(({ offset, sha256, programs }) => ({ offset, sha256, programs: programs.map(programJson) })),
  };
}

function programJson({ name, section, type, relocated, tag, error }: ResolvedProgram): object {
  const target = relocated?.attachTarget ?? null;
  return {
    name,
    section,
    type,
    digest: hasConstantDigest(relocated) ? relocated.digest : null,
    tag,
    /** The modules that must be loaded. */
    modules: [...new Set(modulesOf(relocated))].sort(),
    attach_target:
      target === null
        ? null
        : { name: target.name, btf_id: target.found?.id ?? null, module: target.found?.module ?? null },
    poisoned: relocated?.poisoned ?? [],
    error,
  };
}

function modulesOf(relocated: ResolvedProgram["relocated"]): string[] {
  const target = relocated?.attachTarget?.found?.module ?? null;
  return [...(relocated?.modules.map(({ module }) => module) ?? []), ...(target === null ? [] : [target])];
}
