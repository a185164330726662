import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { shippedPackages } from "../sbom.mjs";
import { debianVersion, maintainer } from "./identity.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const DOCUMENTS = "usr/share/doc/countersign";
const RELEASE = /^## (\d\S*) - (\d{4}-\d\d-\d\d)$/gm;

/**
 * The documents that Debian's policy asks for, and the software bill of materials. `date` is in seconds since the
 * epoch; `isShipped` says of names in package-lock.json whether the package contains them.
 * @returns {import("./tree.mjs").PackageFile[]}
 */
export function documents({ revision, date, isShipped, bill }) {
  const changes = readFileSync(join(root, "CHANGELOG.md"));
  const texts = {
    copyright: copyright(shippedPackages().filter(isShipped)),
    "changelog.gz": gzip(changes),
    "changelog.Debian.gz": gzip(debianChangelog(changes.toString(), revision, date)),
    "sbom.cdx.json": bill,
  };
  return Object.entries(texts).map(([name, contents]) => ({ path: `${DOCUMENTS}/${name}`, mode: 0o644, contents }));
}

/** The same bytes at any time and under any name, as by `gzip -9n`. */
export const gzip = (contents) => gzipSync(contents, { level: 9 });

/** One entry for this build, and one for each release of CHANGELOG.md before it. */
function debianChangelog(changes, revision, date) {
  const version = debianVersion(revision);
  const earlier = Array.from(changes.matchAll(RELEASE), ([, release, day]) => [`${release}-1`, Date.parse(day) / 1000]);
  const entries = [[version, date], ...earlier.filter(([release]) => release !== version)];
  return entries.map(([each, at]) => entry(each, new Date(at * 1000))).join("\n");
}

function entry(version, date) {
  const [day, time] = [date.toUTCString().slice(0, 16), date.toUTCString().slice(17, 25)];
  return `countersign (${version}) unstable; urgency=medium

  * Changes are in changelog.gz.

 -- ${maintainer()}  ${day} ${time} +0000
`;
}

/** The licence of the package, then those of the libraries that it contains, as they ship them. */
function copyright(names) {
  const own = `Countersign
===========

Copyright the authors of Countersign.

Licensed under the Apache License, Version 2.0. On Debian systems its text is in
/usr/share/common-licenses/Apache-2.0.

The package contains code of the following libraries. ${DOCUMENTS.replace(/^/, "/")}/sbom.cdx.json has their digests.
`;
  return [own, ...names.map(licence)].join("\n\n");
}

const LICENCE = /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i;
/** The first lines of the Apache licence, whose text Debian has at one place. */
const APACHE = /Apache License\s+Version 2\.0, January 2004/;

function licence(name) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version, license } = packages[name];
  const title = `${name.replace(/^.*node_modules\//, "")} ${version} (${license})`;
  const folder = join(root, name);
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => LICENCE.test(file))
        .sort()
    : [];
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trimEnd());
  const said = texts.map((text) =>
    APACHE.test(text) ? "Its licence's text is in /usr/share/common-licenses/Apache-2.0." : text,
  );
  return [title, "-".repeat(title.length), "", ...(said.length === 0 ? [`Licence: ${license}`] : said), ""].join("\n");
}
