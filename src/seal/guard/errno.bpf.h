/* Errors of errno.h that the guard returns. */
#pragma once

#define EPERM 1
#define ENOENT 2
#define ESRCH 3
#define E2BIG 7
#define ENOMEM 12
#define EFAULT 14
#define EBUSY 16
#define EXDEV 18
#define EINVAL 22
#define ENOSPC 28
#define EDOM 33
#define ERANGE 34
#define ENOSYS 38
#define ENOPKG 65
#define EBADMSG 74
#define EILSEQ 84
#define EOPNOTSUPP 95
#define EALREADY 114
#define ESTALE 116
#define ENOKEY 126
