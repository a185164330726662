import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, lstatSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BIN, needsGate, Site } from "./site.js";

/** An agent, until it listens or has ended. */
interface Started {
  readonly pid: number;
  readonly text: () => string;
  readonly state: "listening" | "ended";
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>;
  readonly signal: (name: NodeJS.Signals) => void;
}

describe("agents and their socket", () => {
  let site: Site;
  let socket: string;
  const running: Started[] = [];

  beforeEach((context) => {
    needsGate(context);
    site = new Site("export const bpf_prog_load = () => 0;");
    socket = join(site.folder, "agent.sock");
  });
  afterEach(async () => {
    for (const agent of running.splice(0)) {
      agent.signal("SIGKILL");
      await agent.ended;
    }
    site?.remove();
  });

  const start = async (...options: readonly string[]): Promise<Started> => {
    const words = [BIN, "agent", "--socket", socket, "--config", join(site.folder, "countersign.yaml"), ...options];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const ended = once(child, "close") as unknown as Started["ended"];
    const listening = new Promise<"listening">((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes("listening at")) resolve("listening");
        });
    });
    const state = await Promise.race([listening, ended.then(() => "ended" as const)]);
    const agent = {
      pid: child.pid ?? 0,
      text: () => text,
      state,
      ended,
      signal: (name: NodeJS.Signals) => void child.kill(name),
    };
    running.push(agent);
    return agent;
  };
  const answers = (path = socket) =>
    new Promise<boolean>((resolve) => {
      const client = connect(path);
      client.once("connect", () => resolve(true)).once("error", () => resolve(false));
      client.once("connect", () => client.destroy());
    });
  const terminated = (agent: Started) => {
    agent.signal("SIGTERM");
    return agent.ended;
  };

  it("are one for each: a second one ends with an error, and the first one goes on and ends by SIGTERM", async () => {
    const first = await start();
    const { ino } = lstatSync(socket);
    const second = await start();
    expect([second.state, await second.ended]).toEqual(["ended", [2, null]]);
    expect(second.text()).toContain(
      `another agent (process ${first.pid}) has this socket [SOCKET_UNUSABLE]; stop that one`,
    );
    expect([lstatSync(socket).ino, await answers()]).toEqual([ino, true]);
    expect(await terminated(first)).toEqual([0, null]);
    expect([existsSync(socket), existsSync(`${socket}.lock`)]).toEqual([false, false]);
    expect((await start()).state).toBe("listening");
  });

  it("are one, however many start at once", async () => {
    const agents = await Promise.all(Array.from({ length: 4 }, () => start()));
    const listening = agents.filter(({ state }) => state === "listening");
    expect(listening).toHaveLength(1);
    for (const agent of agents)
      if (agent.state === "ended") {
        expect(await agent.ended).toEqual([2, null]);
        expect(agent.text()).toContain("[SOCKET_UNUSABLE]");
      }
    expect(await answers()).toBe(true);
    expect(await terminated(listening[0]!)).toEqual([0, null]);
  });

  it("take what a killed one left, but not what another user left", async () => {
    const killed = await start();
    killed.signal("SIGKILL");
    await killed.ended;
    expect([existsSync(socket), await answers()]).toEqual([true, false]);
    chownSync(socket, 65534, 65534);
    const refused = await start();
    expect([refused.state, refused.text()]).toEqual([
      "ended",
      expect.stringContaining("the socket there belongs to uid 65534 [SOCKET_UNUSABLE]"),
    ]);
    chownSync(socket, 0, 0);
    expect((await start()).state).toBe("listening");
    expect(await answers()).toBe(true);
  });

  it.each<[string, (other: string) => void]>([
    ["the socket is gone", () => rmSync(socket)],
    ["its lock is gone", () => rmSync(`${socket}.lock`)],
    ["another socket has its path", (other) => renameSync(other, socket)],
  ])("end by SIGTERM where %s, and leave what is not theirs", async (_, lose) => {
    const agent = await start();
    const other = join(site.folder, "other.sock");
    const server = createServer().listen(other);
    await once(server, "listening");
    lose(other);
    expect(await terminated(agent)).toEqual([0, null]);
    expect(agent.text()).not.toContain("[INTERNAL]");
    expect(await answers(existsSync(other) ? other : socket)).toBe(true);
    server.close();
  });

  it("end by SIGTERM while clients keep connections open", async () => {
    const agent = await start("--metrics", "127.0.0.1:0");
    const { hostname, port } = new URL(/metrics at (\S+)/.exec(agent.text())?.[1] ?? "");
    const clients: Socket[] = [connect(socket), connect(Number(port), hostname)];
    await Promise.all(clients.map((client) => once(client, "connect")));
    for (const client of clients) client.on("error", () => undefined);
    clients[1]!.write("GET /metrics HTTP/1.1\r\n"); // and no more of it
    expect(await terminated(agent)).toEqual([0, null]);
    for (const client of clients) client.destroy();
  });

  it("end where their metrics cannot be served, and let the socket go", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const agent = await start("--metrics", `127.0.0.1:${port}`);
    expect([agent.state, await agent.ended]).toEqual(["ended", [2, null]]);
    expect(agent.text()).toContain("EADDRINUSE");
    expect([existsSync(socket), existsSync(`${socket}.lock`)]).toEqual([false, false]);
    server.close();
  });
});
