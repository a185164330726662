/* Errors of errno.h that the guard returns. */
#pragma once

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define ENOMEM 12
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34
#define EALREADY 114
