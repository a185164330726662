// usage: node scripts/sbom.mjs [FILE]
// Writes a software bill of materials in CycloneDX JSON: the packages whose code is in dist/, and those that are loaded
// at run time. It is made from package-lock.json and dist/packages.json, which the build writes. The same source gives
// the same bytes: SOURCE_DATE_EPOCH sets the time, and the serial number is a digest of the rest.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sourceDate } from "./source-date.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));

/** Names in package-lock.json of all packages that a release contains, and of those that it loads. */
export function shippedPackages() {
  const { packages } = read("package-lock.json");
  const shipped = new Set(read("dist/packages.json"));
  const add = (name) => {
    if (shipped.has(name) || packages[name] === undefined) return;
    shipped.add(name);
    const { dependencies = {}, optionalDependencies = {} } = packages[name];
    for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(`node_modules/${each}`);
  };
  for (const name of Object.keys(packages[""].dependencies)) add(`node_modules/${name}`);
  return [...shipped].sort();
}

/**
 * The document as an object, without packages that only the build and the tests need. `isShipped` can leave out others,
 * by their names in package-lock.json.
 */
export function sbom(isShipped = (_name) => true) {
  const { packages } = read("package-lock.json");
  const refOf = (name) => `${name.replace(/^.*node_modules\//, "")}@${packages[name].version}`;
  const shipped = new Set(shippedPackages().filter(isShipped).map(refOf));
  const document = JSON.parse(
    execFileSync("npm", ["sbom", "--package-lock-only", "--sbom-format", "cyclonedx", "--sbom-type", "application"], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    }),
  );
  const main = document.metadata.component;
  const kept = (ref) => ref === main["bom-ref"] || shipped.has(ref);
  const components = document.components
    .filter((each) => shipped.has(each["bom-ref"]))
    // A bundled library is a devDependency, but a release contains it.
    .map((each) => ({ ...each, scope: "required", properties: [] }));
  const missing = [...shipped].filter((ref) => !components.some((each) => each["bom-ref"] === ref));
  if (missing.length > 0) throw new Error(`npm sbom lists no ${missing.join(", ")}`);
  // npm names the main component after the folder.
  const component = { ...main, name: packages[""].name ?? "countersign" };
  const dependencies = document.dependencies
    .filter(({ ref }) => kept(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: ref === main["bom-ref"] ? [...shipped] : dependsOn.filter(kept) }));
  const { tools, ...metadata } = document.metadata;
  const rest = {
    ...document,
    metadata: { ...metadata, tools: tools.map(({ version: _, ...tool }) => tool), component },
    components,
    dependencies,
  };
  rest.metadata.timestamp = new Date(sourceDate() * 1000).toISOString();
  delete rest.serialNumber;
  return { ...rest, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(rest))}` };
}

/** A UUID of version 8 (RFC 9562, 5.8) from the SHA-256 of a text. */
function uuidOf(text) {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = `${JSON.stringify(sbom(), null, 2)}\n`;
  if (process.argv[2] === undefined) process.stdout.write(text);
  else writeFileSync(process.argv[2], text);
}
