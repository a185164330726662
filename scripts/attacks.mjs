// Builds the program that `countersign seal test` runs in a guest. With --check it only reports whether the file is
// current. Exit status 3: the compiler is missing.
import { buildProgram } from "./c-program.mjs";

process.exitCode = buildProgram("test/system/seal/attacks", "src/seal/attacks/attacks.bin", "attacks.mjs");
