import { CountersignError, type ErrorCode } from "../../error.js";

type CoreCode = Extract<ErrorCode, `CORE_${string}`>;

const REMEDIES: Readonly<Record<CoreCode, string>> = {
  CORE_MALFORMED: "build the object again",
  CORE_UNSUPPORTED: "load the program on another kernel, or change what it reads",
  CORE_AMBIGUOUS: "test for the type's variants with flavours such as `name___of_this_kernel`",
  CORE_UNRESOLVED: "declare the symbol `__weak`, or load the module that defines it",
  CORE_NEEDS_KALLSYMS: "give the kernel's symbols with `--kallsyms FILE`",
  CORE_BYTE_ORDER: "use the object that was built for this kernel's byte order",
};

/** Why a program cannot be relocated for a kernel. The caller adds the program and the instruction. */
export function coreError(code: CoreCode, message: string, remedy: string = REMEDIES[code]): CountersignError {
  return new CountersignError(code, message, { remedy });
}
