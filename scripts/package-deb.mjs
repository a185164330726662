// usage: npm run package:deb -- [--architecture amd64|arm64] [--revision N] [--out FOLDER]
//        [--compression xz|gzip|none]
// Makes a Debian package for each architecture, and its software bill of materials, in build/. The same source gives
// the same bytes: SOURCE_DATE_EPOCH, or the last commit, sets the time of all files (scripts/source-date.mjs).
// DEBFULLNAME and DEBEMAIL name the maintainer; without them, it is the author of the last commit.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { controlFiles } from "./package-deb/control.mjs";
import { documents } from "./package-deb/documents.mjs";
import { installedFiles } from "./package-deb/files.mjs";
import { nativePackage } from "./package-deb/native-package.mjs";
import { shellFiles } from "./package-deb/shells.mjs";
import { writeTree } from "./package-deb/tree.mjs";
import { sbom } from "./sbom.mjs";
import { sourceDate } from "./source-date.mjs";

/** Debian's names of architectures, and node's. */
const ARCHITECTURES = { amd64: "x64", arm64: "arm64" };

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    architecture: { type: "string", multiple: true, default: Object.keys(ARCHITECTURES) },
    revision: { type: "string", default: "1" },
    compression: { type: "string", default: "xz" },
    out: { type: "string", default: join(root, "build") },
  },
});
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
for (const architecture of values.architecture) {
  if (!Object.hasOwn(ARCHITECTURES, architecture))
    throw new Error(`\`${architecture}\` is none of ${Object.keys(ARCHITECTURES).join(", ")}`);
  packageFor(architecture);
}

function packageFor(architecture) {
  const date = sourceDate();
  const cpu = ARCHITECTURES[architecture];
  const work = mkdtempSync(join(tmpdir(), "countersign-deb-"));
  try {
    const native = nativePackage(`@koromix/koffi-linux-${cpu}`, join(work, "native"));
    const isShipped = (name) => !name.includes("/@koromix/") || name.endsWith(`/koffi-linux-${cpu}`);
    const bill = `${JSON.stringify(sbom(isShipped), null, 2)}\n`;
    const files = [
      ...installedFiles(cpu, native),
      ...shellFiles(),
      ...documents({ revision: values.revision, date, isShipped, bill }),
    ];
    const control = controlFiles({ files, architecture, revision: values.revision });
    const tree = join(work, "tree");
    writeTree(tree, [...files, ...control.files], date);
    const name = `countersign_${control.version}_${architecture}`;
    execFileSync(
      "dpkg-deb",
      [
        "--root-owner-group",
        "--uniform-compression",
        `-Z${values.compression}`,
        "--threads-max=1",
        "--build",
        tree,
        join(out, `${name}.deb`),
      ],
      { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, SOURCE_DATE_EPOCH: String(date) } },
    );
    writeFileSync(join(out, `${name}.cdx.json`), bill);
    process.stdout.write(`${join(out, `${name}.deb`)}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
