// recorder KERNEL OBJECT…: what cilium/ebpf would load of each program on another kernel, in the form of recorder.c.
// To be run by `enter KERNEL`.
package main

// #include <stdlib.h>
// #include "fake-kernel.h"
import "C"

import (
	"encoding/json"
	"os"
	"sort"
	"strings"
	"unsafe"

	"github.com/cilium/ebpf"
)

type event map[string]any

func write(what event) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	line := C.CString(string(text))
	defer C.free(unsafe.Pointer(line))
	C.fake_kernel_line(line)
}

// A function that every kernel has, in place of a target that this one lacks.
var someTarget = map[ebpf.AttachType]string{
	ebpf.AttachTraceFEntry:  "vfs_read",
	ebpf.AttachTraceFExit:   "vfs_read",
	ebpf.AttachModifyReturn: "vfs_read",
	ebpf.AttachLSMMac:       "file_open",
	ebpf.AttachTraceRawTp:   "sched_switch",
	ebpf.AttachTraceIter:    "task",
}

// One attempt to load one program, with another target if there is one. Returns why it failed.
func attempt(path string, all *ebpf.CollectionSpec, name string, target string) string {
	spec := all.Copy()
	program := spec.Programs[name]
	spec.Programs = map[string]*ebpf.ProgramSpec{name: program}
	for _, shared := range spec.Maps {
		shared.Pinning = ebpf.PinNone
	}
	if target != "" {
		write(event{"event": "retarget", "program": name, "target": target})
		program.AttachTo = target
	}
	C.fake_kernel_restart()
	write(event{"event": "attempt", "object": path, "program": name})
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		write(event{"event": "result", "errno": 1, "own_ns": 0, "log": err.Error()})
		return err.Error()
	}
	collection.Close()
	write(event{"event": "result", "errno": 0, "own_ns": 0, "log": ""})
	return ""
}

func record(path string) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		write(event{"event": "object", "object": path, "programs": []any{}, "error": err.Error()})
		return
	}
	names := make([]string, 0, len(spec.Programs))
	for name := range spec.Programs {
		names = append(names, name)
	}
	sort.Strings(names)
	programs := make([]event, len(names))
	for index, name := range names {
		programs[index] = event{"name": name, "section": spec.Programs[name].SectionName}
	}
	write(event{"event": "object", "object": path, "programs": programs})
	for _, name := range names {
		if spec.Programs[name].Type == ebpf.UnspecifiedProgram {
			write(event{"event": "attempt", "object": path, "program": name})
			write(event{"event": "result", "errno": 1, "own_ns": 0, "log": "the section has no program type"})
			spec.Programs[name].Type = ebpf.SocketFilter
			spec.Programs[name].AttachTo = ""
		}
		problem := attempt(path, spec, name, "")
		target := someTarget[spec.Programs[name].AttachType]
		if target != "" && strings.Contains(problem, "attach ") {
			attempt(path, spec, name, target)
		}
	}
}

func main() {
	kernel := C.CString(os.Args[1])
	C.fake_kernel_read(kernel)
	C.fake_kernel_record(C.stdout)
	for _, path := range os.Args[2:] {
		record(path)
	}
}
