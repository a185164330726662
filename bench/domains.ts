import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { bundleScript } from "../scripts/script.mjs";
import type { Told } from "./many.js";
import type { Figure } from "./row.js";

export const title = "Many policies";

const DOMAINS = 10;
const PER_DOMAIN = 100;
const COUNT = DOMAINS * PER_DOMAIN;
// rows run from bench/node_modules/.rows
const here = fileURLToPath(new URL("../../", import.meta.url));

/** A process of its own for each, started as a command is, so that nothing is warm: the median of three. */
export async function rows(): Promise<Figure[]> {
  const folder = site();
  process.env.XDG_CACHE_HOME = join(folder, "cache");
  const bundle = join(here, "node_modules/.rows/many");
  await bundleScript(join(here, "many.ts"), `${bundle}.cjs`);
  const start = [join(here, "start.cjs"), bundle, folder];
  spawnSync(process.execPath, [...start, "--cache"], { stdio: "inherit" });
  const told = [1, 2, 3].map(() => node<Told>(start));
  const [command, linked] = ["--command", "--linked"].map((option) =>
    // the first one fills the cache
    [0, 1, 2, 3].map(() => node<Told>([...start, option]).first).slice(1),
  );
  const own = median([1, 2, 3].map(() => node<number>(["-e", "console.log(process.memoryUsage.rss())"])));
  rmSync(folder, { recursive: true });
  const what = `${COUNT} attachments of ${COUNT} distinct policies in ${DOMAINS} domains`;
  const of = (key: keyof Told) => median(told.map((one) => one[key]));
  return [
    {
      name: `${what}: opened`,
      figure: of("opened"),
      unit: "ms after the process began",
      note: "loaded as commands are: one script with V8's code cache",
    },
    {
      name: "the first decision of a command",
      figure: median(command!),
      unit: "ms after the process began",
      limit: 600,
    },
    {
      name: "the same with link results of an earlier process",
      figure: median(linked!),
      unit: "ms after the process began",
      limit: 350,
    },
    { name: "each asked once", figure: of("all"), unit: "ms after the process began" },
    { name: "resident memory over node's own, then", figure: (of("rss") - own) / 2 ** 20, unit: "MiB", limit: 300 },
  ];
}

function site(): string {
  const folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));
  mkdirSync(join(folder, "policies"));
  const attachments = Array.from({ length: COUNT }, (_, index) => {
    const policy = `policies/p${index}.js`;
    writeFileSync(
      join(folder, policy),
      `import { deny, PKCS7, verify_signature } from "countersign";
// the policy of tenant ${index}
export function blob_verify(blob, current) {
  if (verify_signature(blob.data, blob.signature, "platform", PKCS7) === 0) return 0;
  return blob.name === "n${index}" ? 0 : deny("tenant ${index} takes its own blobs only");
}\n`,
    );
    return { name: `a${index}`, policy, domain: `d${index % DOMAINS}`, scope: { labels: `tenant=t${index}` } };
  });
  writeFileSync(join(folder, "ca.pem"), CERTIFICATE);
  const keyrings = { platform: { trust: ["ca.pem"] } };
  writeFileSync(join(folder, "countersign.yaml"), stringify({ version: 1, keyrings, attachments }));
  return folder;
}

function node<T>(args: string[]): T {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Of nobody, for a hundred years. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIURYGhD9jyzt1FzXM4oWwPUnDJMagwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFYmVuY2gwIBcNMjYxMTI0MTY0MDI3WhgPMjEyNjEwMzExNjQw
MjdaMBAxDjAMBgNVBAMMBWJlbmNoMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
RNP+F4U11rQRS2ttjNusIPoT5rimGa/AI39bQCN9kOHKo1yLmzbijFwjPwMrB/30
MyIMF8fte053q/w0CeFnDaNTMFEwHQYDVR0OBBYEFLoEZaVL26d1psXmoqADyLM+
lRy0MB8GA1UdIwQYMBaAFLoEZaVL26d1psXmoqADyLM+lRy0MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgJtpzpUSSC3PdL0bE+SU3XAALoyQSu4xF
UF0vtdDisYoCIQDWCm210geaOHMBcX8Fqf3yPWiDasOLeDogQeH29+WOzw==
-----END CERTIFICATE-----
`;
