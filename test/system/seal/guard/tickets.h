// The agent of a guest that a test seals: it writes tickets for the programs of programs.c.
#pragma once
#include "loads.h"
#include "report.h"

// Not the time of a test, but time enough on a slow machine: at most GUARD_TICKET_LIFETIME.
#define LONG_ENOUGH 59000000000ULL

const struct program *program_named(const char *name);
// A ticket for a program as programs.c has it, for the thread that writes it.
struct guard_ticket ticket_for(const char *program);
uint64_t boot_time(void);
// The name of an errno, or `done`.
const char *outcome(int error);
// Print a line as report() does.
void load_and_report(const char *name, const struct load *load);
void load_named(const char *name, const char *program);
// Writes a ticket for the program as it is, and loads it changed; NULL: as it is.
void load_changed(const char *name, const char *program, void (*change)(struct load *));
void run_changes(void);
// Of programs that attach to another program.
void run_targets(void);
// 0, or -errno.
int write_ticket(const struct guard_ticket *ticket);
int withdraw_ticket(pid_t task);
// Eight threads of a process and seven other processes race for tickets, each of which is for one of the threads.
void race_for_tickets(uint32_t rounds);
// A thread loads while another one withdraws its tickets.
void race_with_withdrawal(uint32_t rounds);
