// Package sys: in place of the library's function of the same name, one that asks fake-kernel.c.
package sys

// #include "fake-kernel.h"
import "C"

import (
	"runtime"
	"syscall"
	"unsafe"
)

func BPF(cmd Cmd, attr unsafe.Pointer, size uintptr) (uintptr, error) {
	result, err := C.fake_kernel_bpf(C.int(cmd), C.uintptr_t(uintptr(attr)))
	runtime.KeepAlive(attr)
	if result < 0 {
		return 0, wrappedErrno{err.(syscall.Errno)}
	}
	return uintptr(result), nil
}
