import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Terminal } from "../terminal.js";
import { BIN, needs, needsGate, Site } from "./site.js";

/** A shell with job control, as a person has it. */
const SHELL = "env -i PATH=$PATH PS1='ready> ' bash --norc --noprofile --noediting -i";

const C = "\x03";
const Z = "\x1a";
const BACKSLASH = "\x1c";

describe("a command in a terminal", () => {
  let site: Site;

  beforeAll(() => {
    site = new Site("export const bpf_prog_load = () => 0;");
  });
  afterAll(() => site.remove());
  beforeEach((context) => {
    needsGate(context);
    needs(context, "script", "bash");
  });

  const gate = () => `${process.execPath} ${BIN} run --quiet --config ${site.folder}/countersign.yaml --`;
  /**
   * What comes of the same keys without a gate and behind one: given the words before the command, in a fresh terminal.
   */
  const same = async (story: (terminal: Terminal, run: string) => Promise<unknown>) => {
    const outcomes: unknown[] = [];
    for (const run of ["env", gate()]) {
      const terminal = new Terminal(SHELL);
      try {
        await terminal.shows("ready> ");
        outcomes.push(await story(terminal, run));
      } finally {
        await terminal.close();
      }
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
    return outcomes[0];
  };
  /** Starts nothing later that ^Z could stop between vfork(2) and execve(2): its parent would wait, and not stop. */
  const WAITING = 'sleep 100 & trap "echo went on" CONT';
  const STARTED = "sh -c 'echo on its way; exec sleep 100'";

  it("is interrupted and quit by keys, and the shell sees which", async () => {
    const ends = await same(async (terminal, run) => {
      const codes: string[] = [];
      for (const key of [C, BACKSLASH]) {
        terminal.type(`${run} ${STARTED}\n`);
        await terminal.shows("\non its way");
        terminal.type(key);
        await terminal.shows("ready> ");
        codes.push(await terminal.line("echo $?"));
      }
      return codes;
    });
    expect(ends).toEqual(["130\n", "131\n"]);
  });

  it("is stopped by a key as one job, and goes on in the foreground and in the background", async () => {
    const told = await same(async (terminal, run) => {
      const said: string[] = [];
      terminal.type(`${run} sh -c '${WAITING}; trap "exit 7" USR1; echo on its way; while :; do wait; done'\n`);
      await terminal.shows("\non its way");
      for (const command of ["fg", "fg"]) {
        terminal.type(Z);
        said.push(/Stopped\w*/.exec(await terminal.shows("ready> "))?.[0] ?? "");
        said.push(await terminal.line("echo $?"));
        terminal.type(`${command}\n`);
        await terminal.shows("went on");
      }
      terminal.type(Z);
      await terminal.shows("ready> ");
      terminal.type("bg\n");
      await terminal.shows("went on");
      terminal.type("kill -USR1 %1; wait %1; echo ended with $?\n");
      await terminal.shows("\nended with ");
      said.push(await terminal.shows("\n"));
      return said;
    });
    expect(told).toEqual(["Stopped", "148\n", "Stopped", "148\n", "7\n"]);
  });

  it("is not stopped by a key that it ignores, nor is the gate", async () => {
    await same(async (terminal, run) => {
      terminal.type(`${run} sh -c 'trap "" TSTP; echo on its way; read line; echo got $line; exit 4'\n`);
      await terminal.shows("\non its way");
      terminal.type(Z);
      terminal.type("words\n");
      await terminal.shows("got words");
      await terminal.shows("ready> ");
      return terminal.line("echo $?");
    });
  });

  it("that stops itself gives the shell its turn", async () => {
    const told = await same(async (terminal, run) => {
      terminal.type(`${run} sh -c 'kill -STOP $$; echo went on; exit 3'\n`);
      await terminal.shows("Stopped");
      await terminal.shows("ready> ");
      const stopped = await terminal.line("echo $?");
      terminal.type("fg\n");
      await terminal.shows("went on");
      await terminal.shows("ready> ");
      return [stopped, await terminal.line("echo $?")];
    });
    expect(told).toEqual(["147\n", "3\n"]);
  });

  it("that reads in the background is stopped", async () => {
    const told = await same(async (terminal, run) => {
      await terminal.line(`${run} sh -c 'echo on its way > ${site.folder}/started; read line; echo got $line' &`);
      await terminal.line(`until [ -e ${site.folder}/started ]; do sleep 0.1; done; rm ${site.folder}/started`);
      let jobs = "";
      while (!jobs.includes("Stopped")) jobs = await terminal.line("jobs -l");
      terminal.type("fg\n");
      await terminal.shows("\n");
      terminal.type("words\n");
      await terminal.shows("got words");
      return /Stopped \(tty input\)/.exec(jobs)?.[0];
    });
    expect(told).toBe("Stopped (tty input)");
  });

  it("that limits the time of another one in the foreground has it read", async () => {
    await same(async (terminal, run) => {
      terminal.type(`${run} timeout --foreground 100 sh -c 'echo on its way; read line; echo got $line'\n`);
      await terminal.shows("\non its way");
      terminal.type("words\n");
      await terminal.shows("got words");
      await terminal.shows("ready> ");
    });
  });

  it("is not the leader of its process group, so that timeout(1) puts what it starts into the background", async () => {
    const terminal = new Terminal(SHELL);
    try {
      await terminal.shows("ready> ");
      terminal.type(`${gate()} timeout 5 head -1; echo ended with $?; read line; echo got $line\n`);
      terminal.type("words\n");
      await terminal.shows("\nended with ");
      expect(await terminal.shows("\n")).toBe("124\n");
      await terminal.shows("got words");
    } finally {
      await terminal.close();
    }
  });

  it("hears that the window has changed, once", async () => {
    await same(async (terminal, run) => {
      terminal.type(
        `${run} sh -c 'trap "echo winch" WINCH; stty rows 40 cols 111; stty size; sleep 0.3; kill -9 $$'\n`,
      );
      const shown = await terminal.shows("Killed");
      return [shown.split("winch").length, shown.includes("40 111")];
    });
  });

  it("leaves the terminal as it has set it", async () => {
    await same(async (terminal, run) => {
      terminal.type(`${run} stty -echo -icanon min 3 intr ^K\n`);
      await terminal.shows("ready> ");
      terminal.type("stty -a | grep -o -e '-echo ' -e '-icanon' -e 'intr = ^K' -e 'min = 3'\n");
      return terminal.shows("ready> ");
    });
  });

  it("may be a shell with jobs of its own", async () => {
    const told = await same(async (terminal, run) => {
      terminal.type(`${run} env PS1=inner? bash --norc --noprofile --noediting -i\n`);
      await terminal.shows("\ninner?");
      terminal.type(`sh -c '${WAITING}; echo on its way; while :; do wait; done'\n`);
      await terminal.shows("\non its way");
      terminal.type(Z);
      await terminal.shows("Stopped");
      await terminal.shows("\ninner?");
      terminal.type("fg\n");
      await terminal.shows("\nwent on");
      terminal.type(C);
      await terminal.shows("\ninner?");
      terminal.type("echo $?; exit 5\n");
      const inner = await terminal.shows("ready> ");
      return [/^\d+$/m.exec(inner)?.[0], await terminal.line("echo $?")];
    });
    expect(told).toEqual(["130", "5\n"]);
  });

  it("is told that the terminal has gone", async () => {
    await same(async (terminal, run) => {
      const note = `${site.folder}/note`;
      // the kernel tells all processes of the terminal, and the shell its jobs once more: only the first counts
      const trap = `trap "" HUP; echo hung up >> ${note}; exit`;
      terminal.type(
        `${run} sh -c 'trap "${trap.replaceAll('"', '\\"')}" HUP; echo on its way; while :; do sleep 0.1; done'\n`,
      );
      await terminal.shows("\non its way");
      await terminal.close();
      const after = site.bare(
        "sh",
        "-c",
        `for i in $(seq 1000); do [ -s ${note} ] && break; sleep 0.1; done; cat ${note}; rm ${note}`,
      );
      return after.stdout;
    });
  });
});
