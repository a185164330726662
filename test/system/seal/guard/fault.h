// What failing.h has fail, for it and for the programs of a guest.
#pragma once
#include <linux/types.h>

#define FAULT_SITES 4096

// The mark of a site: this, the number of the helper or kfunc << 12, and the number of the site, which is 0 in an object.
#define FAULT_MARK 0x5ea00000

// Numbers of kfuncs, beyond those of helpers that the guard calls.
#define FAULT_TASK_FROM_PID 250
#define FAULT_GET_FSVERITY_DIGEST 251
#define FAULT_LOOKUP_USER_KEY 252
#define FAULT_VERIFY_PKCS7 253

// All sites but those that look elements of maps up or delete them.
#define FAULT_READS 0xffffffff
#define FAULT_ANY_THREAD 0xffffffff

struct fault {
	// In which thread calls are counted and fail; 0 for none.
	__u32 thread;
	// Whose calls fail; 0 for none.
	__u32 site;
	// Which of its calls, from 1; 0 for all.
	__u32 nth;
	// Its calls so far, and how many of them failed.
	__u32 count;
	__u32 failed;
	// The calls of each site, and how many of them failed.
	__u32 calls[FAULT_SITES], failures[FAULT_SITES];
};
