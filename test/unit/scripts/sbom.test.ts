import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sbom, shippedPackages } from "../../../scripts/sbom.mjs";

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), "utf8"));

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly scope: string;
}

describe("the software bill of materials", () => {
  const { packages } = read("package-lock.json");
  const document = sbom();
  const components: Component[] = document.components;
  const names = components.map(({ name }) => name);

  it("has what a release loads and what its bundle contains, and no tools of the build", () => {
    const { dependencies } = read("package.json");
    expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), "pkijs", "zod", "acorn"]));
    expect(names.filter((name) => ["vitest", "esbuild", "typescript", "@biomejs/biome"].includes(name))).toEqual([]);
    expect(components.filter(({ scope }) => scope !== "required")).toEqual([]);
  });

  it("has the version and the digest of each from package-lock.json", () => {
    const locked = shippedPackages().map((name) => {
      const { version, integrity } = packages[name];
      const digest = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
      return `${name.replace(/^.*node_modules\//, "")}@${version} ${digest}`;
    });
    const listed = components.map(({ name, version, hashes }) => `${name}@${version} ${hashes[0]?.content}`);
    expect(listed.sort()).toEqual(locked.sort());
  });

  it("is the same for the same source and time", { tags: ["deep"] }, () => {
    expect(sbom()).toEqual(document);
    expect(document.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("can leave out what a package does not contain", { tags: ["deep"] }, () => {
    const without: Component[] = sbom((name: string) => !name.includes("win32")).components;
    expect(without.map(({ name }) => name)).toEqual(names.filter((name) => !name.includes("win32")));
    expect(without.length).toBeLessThan(components.length);
  });
});
