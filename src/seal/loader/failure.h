/* Why the guard could not be sealed: printed as one line of JSON. */
#pragma once
#include <stdint.h>

/* What failed, in the order of the steps; a table in TypeScript (run-loader.ts) has the error code of each. */
enum step {
	STEP_START,   /* not root, or in a namespace */
	STEP_IMAGE,   /* the image cannot be read, or is not one */
	STEP_VERSION, /* a guard of another version is there */
	STEP_RUNNING, /* a guard is already there */
	STEP_KERNEL,  /* the kernel lacks a hook, a kfunc or BTF */
	STEP_ENFORCED, /* the kernel would not run the guard */
	STEP_LIST,    /* the list is for another kernel */
	STEP_KEYS,    /* the keyrings of the kernel */
	STEP_BTF,
	STEP_MAP,
	STEP_PROGRAM,
	STEP_CGROUP, /* the root cgroup cannot be opened */
	STEP_PINS,   /* the bpffs for links */
	STEP_ATTACH,
	STEP_LOADED, /* a program was loaded that the caller does not know */
	STEP_CANARY, /* the guard is attached and does not deny */
	STEP_AGENT,  /* the process that is to be the agent cannot be marked */
	STEP_LATCH,
	STEP_STOP, /* there is no guard that could be stopped */
	STEP_COUNT
};

struct failure {
	enum step step;
	/* Such as `program guard_bpf`. */
	char place[96];
	/* A sentence without a full stop, or the last line of the verifier's log. */
	char detail[512];
	int error;
};

/* Records a failure with the errno of now. Returns -1. */
int fail(struct failure *failure, enum step step, const char *place, const char *detail);
const char *step_name(enum step step);
const char *errno_name(int error);
/* Writes a string of JSON with its quotes to standard output. */
void print_json_string(const char *text);
void print_failure(const struct failure *failure);
