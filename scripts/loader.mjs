// Builds the guard's loader. With --check it only reports whether the file is current. Exit status 3: the compiler is
// missing.
import { buildProgram } from "./c-program.mjs";

process.exitCode = buildProgram("src/seal/loader", "src/seal/loader/loader.bin", "loader.mjs");
