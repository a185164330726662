import { EffectsOfPrograms } from "../../src/loaded/effects/effects-of-programs.js";
import { ScannedKernel } from "../../src/loaded/effects/scanned-kernel.js";
import { KERNEL } from "../../src/loaded/reads/reads.js";
import { presentScan } from "../../src/loaded/scan.js";

/** What each loaded program can at most do, and nothing besides: prints a line for each. */
const { scan } = await presentScan();
const analysis = new EffectsOfPrograms(KERNEL, scan, new ScannedKernel(KERNEL));
const lines = scan.programs.map((program) => `${program.id} ${JSON.stringify(analysis.of(program))}\n`);
process.stdout.write(lines.join(""));
