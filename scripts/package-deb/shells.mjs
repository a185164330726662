import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzip } from "./documents.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/countersign",
  zsh: "usr/share/zsh/vendor-completions/_countersign",
  fish: "usr/share/fish/vendor_completions.d/countersign.fish",
};

/**
 * The completions of each shell, made from the commands of the built bundle, and the manual page.
 * @returns {import("./tree.mjs").PackageFile[]}
 */
export function shellFiles() {
  const completions = Object.entries(COMPLETIONS).map(([shell, path]) => {
    const contents = execFileSync(process.execPath, [`${root}/bin/countersign.js`, "completion", shell]);
    return { path, mode: 0o644, contents };
  });
  const page = readFileSync(`${root}/man/countersign.1`);
  return [...completions, { path: "usr/share/man/man1/countersign.1.gz", mode: 0o644, contents: gzip(page) }];
}
