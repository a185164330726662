import { attributeOf, attributes, numberIn, numberOf, type RouteMessage, textIn } from "./route-messages.js";

/** Message type of linux/rtnetlink.h; the kernel's answers have it too (tc_dump_action of net/sched/act_api.c). */
export const RTM_GETACTION = 50;

/** sizeof(struct tcamsg) of linux/rtnetlink.h. */
const ACTION_BODY = 4;
/** Attributes of linux/rtnetlink.h, linux/pkt_cls.h and linux/tc_act/tc_bpf.h. */
const [TCA_ACT_TAB, TCA_ACT_KIND, TCA_ACT_OPTIONS] = [1, 1, 2];
const [TCA_ACT_BPF_PARMS, TCA_ACT_BPF_ID] = [2, 9];

/** A tc action with a program. */
export interface BpfAction {
  readonly index: number;
  /** The id of the program. */
  readonly program: number;
}

/** The body of a request for all actions of kind bpf: attribute TAB { attribute 1 { attribute KIND: "bpf" } }. */
export function actionRequest(): Uint8Array {
  return Buffer.from([
    ...[0, 0, 0, 0],
    ...[16, 0, TCA_ACT_TAB, 0x80],
    ...[12, 0, 1, 0x80],
    ...[8, 0, TCA_ACT_KIND, 0, ...Buffer.from("bpf\0")],
  ]);
}

const RTM_DELACTION = 49;
const TCA_ACT_INDEX = 3;
/** NLA_F_NESTED of linux/netlink.h. */
const NESTED = 0x8000;

/** A request that removes the action of kind bpf with this index: the kernel denies it while a filter uses it. */
export function actionRemoval(index: number): RouteMessage {
  const named = [attributeOf(TCA_ACT_KIND, Buffer.from("bpf\0")), attributeOf(TCA_ACT_INDEX, numberOf(index))];
  const table = attributeOf(TCA_ACT_TAB | NESTED, attributeOf(1 | NESTED, Buffer.concat(named)));
  return { type: RTM_DELACTION, body: Buffer.concat([Buffer.alloc(ACTION_BODY), table]) };
}

/** The actions of kind bpf in a message; none if it is about something else. */
export function actionsOf({ type, body }: RouteMessage): readonly BpfAction[] {
  if (type !== RTM_GETACTION || body.byteLength < ACTION_BODY) return [];
  const found: BpfAction[] = [];
  for (const [attribute, table] of attributes(body.subarray(ACTION_BODY))) {
    if (attribute !== TCA_ACT_TAB) continue;
    for (const [, action] of attributes(table)) {
      const one = actionOf(action);
      if (one !== null) found.push(one);
    }
  }
  return found;
}

function actionOf(action: Uint8Array): BpfAction | null {
  let [kind, index, program] = ["", 0, 0];
  for (const [attribute, value] of attributes(action)) {
    if (attribute === TCA_ACT_KIND) kind = textIn(value);
    if (attribute !== TCA_ACT_OPTIONS) continue;
    for (const [inner, field] of attributes(value)) {
      // struct tc_gen: the index is first
      if (inner === TCA_ACT_BPF_PARMS) index = numberIn(field.subarray(0, 4)) ?? 0;
      if (inner === TCA_ACT_BPF_ID) program = numberIn(field) ?? 0;
    }
  }
  return kind === "bpf" && program !== 0 ? { index, program } : null;
}
