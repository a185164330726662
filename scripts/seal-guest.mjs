// Boots a guest with one of Debian's kernels, in which a script can seal a guard: for work on src/seal/guard.
//
//   node scripts/seal-guest.mjs --kernel 6.12 --object guard.bpf.o --add FILE --script SCRIPT
//
// --kernel KERNEL       6.1, 6.12, 6.18, 7.2 or 7.3 (default: 6.12)
// --object FILE         the guard; its image is /lib/guard.image, and the loader /bin/loader
// --add FILE[:PATH]     adds a file as /bin/NAME if it is executable, with its libraries, else as /lib/NAME; repeatable
// --script FILE         a shell script; default: seals with the verifier's statistics, and runs the canary
// --run TEXT            the script itself
// --boot                seals in the initramfs, before the guest's /init (rdinit=/countersign/init)
// --until TEXT          ends the guest when its console has this text
// --audit               the image has mode audit
// --setting NAME=VALUE  a number for a variable of .rodata; repeatable
// --contents MAP=FILE   the elements of an array map; repeatable
// --key FILE            a certificate (DER) whose signatures allow programs; repeatable
// --device WORDS        a device of qemu, such as `edu`; repeatable
// --append WORDS        more of the kernel's command line, such as `lsm=landlock`
// --seconds N           until the guest is ended (180)
// --icount              count instructions instead of time
// --console             print all that the kernel wrote, not only the script's output
//
// Exit status: that of the script; 125 if the guest did not come to its end.
import { accessSync, constants, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { importSources } from "./sources.mjs";

const { values: given } = parseArgs({
  options: {
    kernel: { type: "string", default: "6.12" },
    object: { type: "string" },
    add: { type: "string", multiple: true, default: [] },
    script: { type: "string" },
    run: { type: "string" },
    boot: { type: "boolean", default: false },
    until: { type: "string" },
    audit: { type: "boolean", default: false },
    setting: { type: "string", multiple: true, default: [] },
    contents: { type: "string", multiple: true, default: [] },
    key: { type: "string", multiple: true, default: [] },
    device: { type: "string", multiple: true, default: [] },
    append: { type: "string", default: "" },
    seconds: { type: "string", default: "180" },
    icount: { type: "boolean", default: false },
    console: { type: "boolean", default: false },
  },
});

const { SealGuest, fragment, GUARD_VERSION, imageOf, SEAL_INIT } = await importSources(`
  export { SealGuest } from "./test/system/seal/guests/seal-guest.js";
  export { fragment, SEAL_INIT } from "./src/seal/initramfs/fragment.js";
  export { imageOf } from "./src/seal/image/image.js";
  export { GUARD_VERSION } from "./src/seal/list/list-header.js";
`);

const guest = SealGuest.make(given.kernel);
if (typeof guest === "string") stop(guest);
process.on("uncaughtException", (error) => {
  guest.remove();
  stop(error.toString());
});
const loader = fileURLToPath(new URL("../src/seal/loader/loader.bin", import.meta.url));
guest.file("bin/loader", readFileSync(loader), 0o755);
const pairs = (list) => list.map((pair) => pair.split(/=(.*)/s));
const image =
  given.object === undefined
    ? null
    : imageOf(readFileSync(given.object), {
        mode: given.audit ? 1 : 2,
        guardVersion: GUARD_VERSION,
        onFailure: "halt",
        lines: true,
        settings: Object.fromEntries(pairs(given.setting).map(([name, value]) => [name, BigInt(value)])),
        contents: Object.fromEntries(pairs(given.contents).map(([map, file]) => [map, readFileSync(file)])),
        keys: given.key.length === 0 ? {} : { programs: given.key.map((file) => readFileSync(file)) },
      });
if (image !== null) guest.file("lib/guard.image", image);
for (const each of given.add) {
  const [file, path] = each.split(":");
  if (isExecutable(file)) guest.program(file, path ?? `bin/${basename(file)}`);
  else guest.file(path ?? `lib/${basename(file)}`, readFileSync(file));
}
const SCRIPT = "loader --log --statistics /lib/guard.image; loader --canary; echo canary: $?";
const script = given.script === undefined ? (given.run ?? SCRIPT) : readFileSync(given.script, "utf8");
const ran = guest.run(script, {
  commandLine: given.boot ? `rdinit=${SEAL_INIT} ${given.append}` : given.append,
  fragments: given.boot ? [fragment(readFileSync(loader), image)] : [],
  until: given.until,
  seconds: Number(given.seconds),
  icount: given.icount,
  devices: given.device.flatMap((words) => ["-device", words]),
});
guest.remove();
process.stdout.write(given.console || ran.status === null ? ran.console : ran.output);
process.exitCode = ran.status ?? 125;

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function stop(reason) {
  console.error(`seal-guest: ${reason}`);
  process.exit(125);
}
