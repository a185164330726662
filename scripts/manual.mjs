// Generates man/countersign.1, the manual page, from the help of all commands. With --check it only compares.
import { readFileSync } from "node:fs";
import { manualPage } from "./manual/manual-page.mjs";
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { commandLine } = await importSources(`export { commandLine } from "./src/cli/program.js";`);
const changelog = readFileSync(new URL("../CHANGELOG.md", import.meta.url), "utf8");
const [, version, date] = /^## ([\d.]+) - ([\d-]+)$/m.exec(changelog) ?? [];
const page = manualPage(await commandLine(null), { version, date });
process.exitCode = writeGenerated({ "man/countersign.1": page });
