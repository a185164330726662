/*
 * Keyrings of the kernel that root cannot change: one for each purpose, with the certificates of the image. They hang
 * in the user keyring of RING_UID, which no process has. Until lock_rings() the loader can remove them again.
 */
#pragma once
#include "loaded.h"

/* Makes the keyrings for which the image has certificates, and sets loaded->rings. Returns -1 after a failure. */
int make_rings(const struct image *image, struct loaded *loaded, struct failure *failure);
/* Takes all permissions away, but that of the kernel's search for a signer's certificate. There is no way back. */
int lock_rings(struct loaded *loaded, struct failure *failure);
/* Removes what make_rings() made; nothing after lock_rings(). */
void undo_rings(struct loaded *loaded);
/* Removes what the loader of a guard in audit made. */
void remove_rings(void);
