#include "keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No account and no range of subordinate ids has it. The user keyring of a uid stays until the machine stops. */
#define RING_UID 0xffff6767u

/*
 * KEY_POS_SEARCH of include/linux/key.h: with it the kernel finds certificates when it verifies a signature, because it
 * always searches as a possessor does. Nobody can be one: the only way to the keyrings is the user keyring, which then
 * permits nothing.
 */
#define SEARCH_ONLY 0x08000000L
#define NOTHING 0L

static const char *const NAMES[RING_COUNT] = {"countersign-lists", "countersign-programs"};

static long key_call(int operation, long first, long second, long third)
{
	return syscall(SYS_keyctl, operation, first, second, third, 0L);
}

static uid_t caller;

/*
 * KEY_SPEC_USER_KEYRING is that of the real uid. A keyring can be changed by processes that have it in one of their
 * own, here that of the process, which ends with it or at exec.
 */
static int enter(void)
{
	caller = getuid();
	if (syscall(SYS_setresuid, RING_UID, -1, -1) != 0)
		return -1;
	if (key_call(KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING, 0) == 0)
		return 0;
	int error = errno;
	syscall(SYS_setresuid, caller, -1, -1);
	errno = error;
	return -1;
}

static void leave(void)
{
	int error = errno;
	key_call(KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING, 0, 0);
	syscall(SYS_setresuid, caller, -1, -1);
	errno = error;
}

static int add_certificates(const struct image *image, uint32_t ring, struct loaded *loaded, struct failure *failure)
{
	const struct image_key *keys = image_keys(image);
	for (uint32_t i = 0; i < image->key_count; i++) {
		char place[64];
		if (keys[i].ring != ring)
			continue;
		loaded->keys[i] = (int32_t)syscall(SYS_add_key, "asymmetric", NULL, image->bytes + keys[i].certificate.offset,
		                                   (size_t)keys[i].certificate.size, (long)loaded->rings[ring]);
		snprintf(place, sizeof(place), "certificate %u of %s", i, NAMES[ring]);
		if (loaded->keys[i] < 0)
			return fail(failure, STEP_KEYS, place, "the kernel rejects it");
	}
	return 0;
}

static int make_ring(const struct image *image, uint32_t ring, struct loaded *loaded, struct failure *failure)
{
	long serial = syscall(SYS_add_key, "keyring", NAMES[ring], NULL, 0UL, (long)KEY_SPEC_USER_KEYRING);
	if (serial < 0)
		return fail(failure, STEP_KEYS, NAMES[ring], "cannot be made");
	loaded->rings[ring] = (int32_t)serial;
	if (add_certificates(image, ring, loaded, failure) != 0)
		return -1;
	/* without a type: from now on no key can be added */
	if (key_call(KEYCTL_RESTRICT_KEYRING, serial, 0, 0) != 0)
		return fail(failure, STEP_KEYS, NAMES[ring], "cannot be restricted");
	return 0;
}

static int has_keys(const struct image *image, uint32_t ring)
{
	const struct image_key *keys = image_keys(image);
	for (uint32_t i = 0; i < image->key_count; i++)
		if (keys[i].ring == ring)
			return 1;
	return 0;
}

int make_rings(const struct image *image, struct loaded *loaded, struct failure *failure)
{
	int result = 0;
	loaded->key_count = image->key_count;
	if (image->key_count == 0)
		return 0;
	if (enter() != 0)
		return fail(failure, STEP_KEYS, "user keyring", "cannot be opened");
	/* what another loader left */
	if (key_call(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING, 0, 0) != 0)
		result = fail(failure, STEP_KEYS, "user keyring", "cannot be cleared");
	for (uint32_t ring = 0; ring < RING_COUNT && result == 0; ring++)
		if (has_keys(image, ring))
			result = make_ring(image, ring, loaded, failure);
	leave();
	return result;
}

/* The user keyring belongs to RING_UID, which alone may change its permissions. */
static int lock_user_keyring(void)
{
	syscall(SYS_setfsuid, RING_UID);
	long result = key_call(KEYCTL_SETPERM, KEY_SPEC_USER_KEYRING, NOTHING, 0);
	int error = errno;
	syscall(SYS_setfsuid, 0);
	errno = error;
	return (int)result;
}

static int lock_keys(const struct loaded *loaded)
{
	for (uint32_t i = 0; i < loaded->key_count; i++)
		if (key_call(KEYCTL_SETPERM, loaded->keys[i], SEARCH_ONLY, 0) != 0)
			return -1;
	for (uint32_t ring = 0; ring < RING_COUNT; ring++)
		if (loaded->rings[ring] != 0 && key_call(KEYCTL_SETPERM, loaded->rings[ring], SEARCH_ONLY, 0) != 0)
			return -1;
	return 0;
}

/* Whether a key is there that this process may not even describe. */
static int is_locked(int32_t serial)
{
	return key_call(KEYCTL_DESCRIBE, serial, 0, 0) == -1 && errno == EACCES;
}

static int are_locked(const struct loaded *loaded)
{
	int locked = 1;
	for (uint32_t ring = 0; ring < RING_COUNT; ring++)
		locked &= loaded->rings[ring] == 0 || is_locked(loaded->rings[ring]);
	for (uint32_t i = 0; i < loaded->key_count; i++)
		locked &= is_locked(loaded->keys[i]);
	return locked;
}

/*
 * The user keyring is locked last: until then undo_rings() removes keyrings that are locked, too. Another process with
 * RING_UID can invalidate them until then, so that they are looked at again.
 */
int lock_rings(struct loaded *loaded, struct failure *failure)
{
	if (loaded->key_count == 0)
		return 0;
	if (enter() != 0)
		return fail(failure, STEP_KEYS, "user keyring", "cannot be opened");
	int result = lock_keys(loaded);
	leave();
	if (result != 0)
		return fail(failure, STEP_KEYS, "keyrings", "cannot be locked");
	if (!are_locked(loaded))
		return fail(failure, STEP_KEYS, "keyrings", "were changed by another process");
	if (enter() != 0)
		return fail(failure, STEP_KEYS, "user keyring", "cannot be opened");
	result = lock_user_keyring();
	leave();
	if (result != 0)
		return fail(failure, STEP_KEYS, "user keyring", "cannot be locked");
	return are_locked(loaded) ? 0 : fail(failure, STEP_KEYS, "keyrings", "were changed by another process");
}

void undo_rings(struct loaded *loaded)
{
	if (loaded->key_count > 0)
		remove_rings();
}

/*
 * The empty user keyring stays: the kernel finds one that is invalidated until it has freed it in the background, and a
 * guard that starts until then could not enter it (ENOKEY).
 */
void remove_rings(void)
{
	if (enter() != 0)
		return;
	key_call(KEYCTL_CLEAR, KEY_SPEC_USER_KEYRING, 0, 0);
	leave();
}
