import { describe, expect, it } from "vitest";
import type { ToThread } from "../../../../src/gate/messages/messages.js";
import { PendingRequests } from "../../../../src/gate/supervisor/pending-requests.js";

describe("pending requests", () => {
  const begin = () => {
    const posted: ToThread[] = [];
    const requests = new PendingRequests((message) => posted.push(message));
    const send = (fd: number) =>
      requests.send((requestId) => ({
        ...{ do: "listen", requestId, fd, container: null, cursor: -1, filter: "full" },
        releases: new SharedArrayBuffer(0),
      }));
    return { posted, requests, send };
  };

  it("are sent, and are pending until they are answered", async () => {
    const { posted, requests, send } = begin();
    const sent = [send(5), send(6)];
    expect(posted).toMatchObject([
      { requestId: 1, fd: 5 },
      { requestId: 2, fd: 6 },
    ]);
    expect(requests.messages).toEqual(posted);
    requests.done(1);
    await sent[0];
    expect(requests.messages).toMatchObject([{ fd: 6 }]);
    requests.done(2, new Error("rejected"));
    await expect(sent[1]).rejects.toThrow("rejected");
    expect(requests.messages).toEqual([]);
  });

  it("ignore answers to other requests", () => {
    const { requests } = begin();
    requests.done(0);
    requests.done(7, new Error("unknown"));
    expect(requests.messages).toEqual([]);
  });

  it("are all rejected when no thread can answer", async () => {
    const { requests, send } = begin();
    const sent = Promise.allSettled([send(5), send(6)]);
    requests.fail(new Error("lost"));
    expect((await sent).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
