import { OwnedThread } from "../../engine/owned-thread.js";
import type { ThreadImage } from "../../engine/thread-image.js";
import { Notification } from "../call/notification.js";
import type { Analysed } from "../load/analysis.js";
import { stillWaits } from "../sys/seccomp.js";
import { Admissions } from "./admissions.js";
import { type Errand, type Parcel, WAITS, type Wait, waitOf } from "./errand.js";
import { abandon, discard } from "./hands.js";
import { Interrupts } from "./interrupts.js";
import type { FromPorter, ToPorter } from "./messages.js";
import { type Brought, type Visit, visitName } from "./visit.js";
import type { Blocked } from "./watch.js";

/** What becomes of an errand, told to whoever gave it; what it brought is in the visit. */
export interface Errands {
  brought(visit: Visit): void;
  /**
   * It has taken longer than it may: the task is to be ended, which brings the porter back where its memory is the
   * cause.
   */
  overdue(visit: Visit): void;
  /** It will not be run, or was for too long; why, of its task. */
  failed(visit: Visit, reason: string): void;
}

interface Job {
  readonly visit: Visit;
  readonly parcel: Parcel;
  readonly suspect: string;
}

/** Threads at most, of those that come back; a suspect has one at a time. */
const MOST = 4;
/** Threads that paths and files may keep for good, until no more of either are looked at. */
const MOST_LOST = 8;
/** Milliseconds that a porter has to come back in once the task was ended. */
const GRACE = 500;
/**
 * Milliseconds for a call that waits for the kernel alone, after which its suspect has another thread for other calls.
 */
const KERNEL = 10_000;
/** Calls that may take longer than that: no task is at fault, and none is ended over it. */
const MOST_SLOW = 4;
/** Milliseconds between two looks at whether the task of such a call is still there. */
const LOOK_EVERY = 100;
/**
 * Milliseconds for an analysis. Its work is bounded (bpf/analysis/work.ts), and takes two seconds at most where the
 * machine does nothing else: this is for what that bound does not cover.
 */
export const ANALYSIS = 30_000;
/**
 * Bytes of a task's memory that are copied in a millisecond, even where processors are busy: that is no waiting for the
 * task.
 */
const COPIED = 2 ** 16;
/**
 * Milliseconds by which a deadline is seen too late where the machine stood still, and for which it is then put off,
 * once.
 */
const LATE = 25;
/** Milliseconds after which a porter who has nothing to do is let go. */
const IDLE = 30_000;

/** It runs next to no JavaScript. */
const HEAP = { maxYoungGenerationSizeMb: 2 };

/** The visit as it is after an errand. */
function withBrought(visit: Visit, brought: Brought): Visit {
  const { analysed } = brought;
  if (analysed === undefined) return { ...visit, brought: [...visit.brought, brought] };
  return { ...visit, analyses: new Map([...visit.analyses, [analysed, brought.outcome as Analysed]]) };
}

/** Why a task was killed that kept the gate waiting. */
export function stalled({ notification }: Visit, wait: Wait, milliseconds: number): string {
  return `stalled: task ${new Notification(notification).tid} kept ${WAITS[wait]} for ${milliseconds} ms and was killed`;
}

/** Why a load is denied whose analysis was ended. */
export function unanalysed(): string {
  return `the analysis of its program did not end within ${ANALYSIS} ms`;
}

/** An errand that is being run. `porter` is null where a decision thread that was taken off runs it. */
interface Course {
  readonly visit: Visit;
  readonly suspect: string;
  readonly wait: Wait;
  readonly porter: Porter | null;
  /**
   * `current`: its suspect's next errand waits for it. `slow`: the kernel takes long; it comes back, and nothing waits
   * for it. `lost`: not even the task's end brought it back, and nobody waits for what it brings.
   */
  state: "current" | "slow" | "lost";
  /** Why its task was ended over it; null where that was not done. */
  verdict: string | null;
  /** Milliseconds since the epoch; 0 while there is no deadline. */
  due: number;
  timer: NodeJS.Timeout | undefined;
}

type Porter = OwnedThread<ToPorter, FromPorter>;

/** Bytes of a task's memory that an errand copies. */
function bytesOf(errand: Errand): number {
  const parts =
    errand.do === "read" ? errand.spans : errand.do === "write" ? errand.parts.map(({ bytes }) => bytes) : [];
  return parts.reduce((sum, part) => sum + ("length" in part ? part.length : 0), 0);
}

/**
 * Errands of one lane are run one after the other: what a suspect's admitted call waits for keeps none of its other
 * calls waiting.
 */
function laneOf({ admitted }: Visit, suspect: string): string {
  return admitted ? `${suspect} admitted` : suspect;
}

/**
 * Runs errands for suspects, each with a deadline, in turn of suspects: one that keeps its porter waiting keeps nobody
 * else waiting. Porters are started when there is need of them.
 */
export class Porters {
  /** All porters, with the timer that lets go of one who has nothing to do. */
  readonly #porters = new Map<Porter, NodeJS.Timeout | undefined>();
  /**
   * A suspect has one errand at a time sent to a porter for its admitted call, and one for its other calls; beside
   * these a decision thread may have been taken off.
   */
  readonly #courses = new Set<Course>();
  /** Errands that wait, by lane: see {@link laneOf}. The one that has waited longest is first. */
  readonly #waiting = new Map<string, Job[]>();
  readonly #admissions: Admissions;
  readonly #interrupts = new Interrupts();

  constructor(
    private readonly errands: Errands,
    /** Milliseconds that an errand may take. */
    private readonly stall: () => number,
    /** What porters run; null for a file of the bundle. */
    private readonly image: ThreadImage | null,
  ) {
    this.#admissions = new Admissions((visit) => errands.brought(visit));
  }

  /** Runs an errand for a visit, when its suspect's turn comes; or admits its call, where there is none. */
  send(visit: Visit, parcel: Parcel | null, suspect: string): void {
    if (parcel === null) {
      this.#admissions.wait(visit, suspect);
      return;
    }
    const lane = laneOf(visit, suspect);
    const jobs = this.#waiting.get(lane) ?? [];
    jobs.push({ visit, parcel, suspect });
    this.#waiting.set(lane, jobs);
    this.#assign();
  }

  /** The call of a visit with this name is over. */
  leave(name: string): void {
    this.#admissions.leave(name);
  }

  /**
   * A decision thread that was taken off runs an errand, since some time: it stands under the same deadline, and brings
   * what it brings with {@link back}. `lost`: its task was killed over it already, which did not help.
   */
  adopt(visit: Visit, suspect: string, { since, wait }: Blocked, lost: boolean): void {
    const state = lost ? "lost" : "current";
    const course: Course = { visit, suspect, wait, porter: null, state, verdict: null, due: 0, timer: undefined };
    this.#courses.add(course);
    if (!lost) this.#begin(course, Date.now() - since);
  }

  /** The visit as it is after an errand that a thread was adopted with. */
  back(visit: Visit): void {
    const course = this.#find((one) => visitName(one.visit) === visitName(visit));
    if (course !== undefined) this.#finish(course, visit);
    else abandon(visit);
  }

  /** Lets all porters go. One that is kept waiting ends with the process. */
  async stop(): Promise<void> {
    for (const { timer } of this.#courses) clearTimeout(timer);
    const kept = this.#busy;
    const porters = [...this.#porters];
    this.#porters.clear();
    this.#waiting.clear();
    await Promise.all(
      porters.map(([porter, idle]) => {
        clearTimeout(idle);
        this.#interrupts.forget(porter);
        const end = porter.end();
        return kept.has(porter) ? null : end;
      }),
    );
  }

  #assign(): void {
    for (const [lane, [job, ...later]] of this.#waiting) {
      if (job === undefined || this.#isBusy(lane)) continue;
      const { visit, parcel, suspect } = job;
      const wait = waitOf(job.parcel.errand);
      const hopeless = wait === "path" || wait === "file" ? this.#hopeless(suspect) : null;
      const porter = hopeless === null ? (this.#idle() ?? this.#hire()) : null;
      if (hopeless === null && porter === null) return;
      // and behind the others
      this.#waiting.delete(lane);
      if (later.length > 0) this.#waiting.set(lane, later);
      if (porter === null) this.errands.failed(visit, hopeless!);
      else {
        const rest = { state: "current", verdict: null, due: 0, timer: undefined } as const;
        const course: Course = { visit, suspect, wait, porter, ...rest };
        this.#courses.add(course);
        porter.tell(parcel);
        // that the porter has to start is not the task's doing
        void porter.ready().then(() => this.#begin(course, -bytesOf(parcel.errand) / COPIED));
      }
    }
  }

  /** Why no path or file is looked at for a suspect; null where one is. */
  #hopeless(suspect: string): string | null {
    if (this.#has("lost", suspect)) return "an earlier path or file of its like still keeps the gate waiting";
    return this.#count("lost") < MOST_LOST ? null : "too many paths and files of others keep the gate waiting";
  }

  #find(which: (course: Course) => boolean): Course | undefined {
    return [...this.#courses].find(which);
  }

  #isBusy(lane: string): boolean {
    return this.#find((one) => one.state === "current" && laneOf(one.visit, one.suspect) === lane) !== undefined;
  }

  #has(state: Course["state"], suspect: string): boolean {
    return this.#find((one) => one.state === state && one.suspect === suspect) !== undefined;
  }

  #count(state: Course["state"]): number {
    return [...this.#courses].filter((one) => one.state === state).length;
  }

  get #busy(): ReadonlySet<Porter | null> {
    return new Set(Array.from(this.#courses, ({ porter }) => porter));
  }

  #idle(): Porter | null {
    const busy = this.#busy;
    for (const [porter, timer] of this.#porters) {
      if (busy.has(porter)) continue;
      clearTimeout(timer);
      return porter;
    }
    return null;
  }

  #hire(): Porter | null {
    const kept = [...this.#courses].filter(({ state, porter }) => state !== "current" && porter !== null);
    if (this.#porters.size - kept.length >= MOST) return null;
    const porter: Porter = new OwnedThread(
      this.image ?? "gate-porter",
      {},
      (message) => {
        if (message.is === "brought") this.#brought(porter, message);
        else if (message.is === "runs") this.#interrupts.add(porter, message.tid);
      },
      HEAP,
    );
    this.#porters.set(porter, undefined);
    void porter.ended.then(({ message }) => this.#gone(porter, message));
    return porter;
  }

  #begin(course: Course, waited: number): void {
    if (!this.#courses.has(course)) return;
    if (course.wait === "kernel") {
      this.#lookAfter(course, Date.now() - waited);
      return;
    }
    const may = course.wait === "analysis" ? ANALYSIS : this.stall();
    const left = Math.max(0, may - waited);
    course.due = Date.now() + left;
    course.timer = setTimeout(() => this.#late(course, may), left);
  }

  /**
   * A deadline that is seen late says nothing about the task: where this thread got no processor, a porter may have got
   * none.
   */
  #late(course: Course, milliseconds: number): void {
    if (Date.now() - course.due <= LATE) this.#overdue(course, milliseconds);
    else course.timer = setTimeout(() => this.#overdue(course, milliseconds), LATE);
  }

  /** Interrupts a call whose task is gone, so that it keeps no thread; the kernel itself may take its time. */
  #lookAfter(course: Course, since: number): void {
    const { visit, suspect, porter } = course;
    if (porter !== null && !stillWaits(visit.listener, visit.notification)) this.#interrupts.send(porter);
    const late = course.state === "current" && Date.now() - since > KERNEL;
    if (late && !this.#has("slow", suspect) && this.#count("slow") < MOST_SLOW) {
      course.state = "slow";
      this.#admissions.leave(visitName(visit));
      this.#assign();
    }
    course.timer = setTimeout(() => this.#lookAfter(course, since), LOOK_EVERY).unref();
  }

  #overdue(course: Course, milliseconds: number): void {
    // it may have come back while this thread was busy
    for (const message of course.porter?.received() ?? [])
      if (message.is === "brought") this.#brought(course.porter!, message);
    if (!this.#courses.has(course)) return;
    if (course.wait === "analysis") {
      // no task is at fault, and ending the thread ends it
      course.verdict = unanalysed();
      void course.porter?.end();
      return;
    }
    course.verdict = stalled(course.visit, course.wait, milliseconds);
    course.timer = setTimeout(() => this.#giveUp(course), GRACE);
    this.errands.overdue(course.visit);
  }

  /** Not even the task's end has brought it back. */
  #giveUp(course: Course): void {
    course.state = "lost";
    this.errands.failed(course.visit, course.verdict!);
    this.#assign();
  }

  #brought(porter: Porter, brought: Brought): void {
    const timer = setTimeout(() => this.#dismiss(porter), IDLE).unref();
    this.#porters.set(porter, timer);
    const course = this.#find((one) => one.porter === porter);
    if (course === undefined) return;
    this.#finish(course, withBrought(course.visit, brought), brought);
  }

  /** `brought` is what alone is left of a visit that was given up, where it was given back before. */
  #finish(course: Course, visit: Visit, brought: Brought | null = null): void {
    clearTimeout(course.timer);
    this.#courses.delete(course);
    if (course.state !== "lost") {
      if (course.verdict === null) this.errands.brought(visit);
      else this.errands.failed(visit, course.verdict);
    } else if (brought === null) abandon(visit);
    else discard(brought.outcome);
    this.#assign();
  }

  #dismiss(porter: Porter): void {
    this.#porters.delete(porter);
    this.#interrupts.forget(porter);
    void porter.end();
  }

  /** A porter ended by itself, which none should. */
  #gone(porter: Porter, message: string): void {
    this.#interrupts.forget(porter);
    if (!this.#porters.delete(porter)) return;
    const course = this.#find((one) => one.porter === porter);
    if (course !== undefined) {
      course.verdict ??= `its errand failed: ${message}`;
      this.#finish(course, course.visit);
    }
    this.#assign();
  }
}
