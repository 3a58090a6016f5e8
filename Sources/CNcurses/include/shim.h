// What Swift cannot import of ncurses (mutable globals, cast macros, `term.h`), and what has to be C: the code that
// runs inside a signal handler.
#pragma once
#define _XOPEN_SOURCE_EXTENDED 1
#define NCURSES_WIDECHAR 1
#include <ncurses.h>
#include <stdbool.h>
#include <stddef.h>

static const attr_t shim_normal = A_NORMAL;
static const attr_t shim_bold = A_BOLD;
static const attr_t shim_dim = A_DIM;
static const attr_t shim_reverse = A_REVERSE;

/// Starts ncurses on standard output and input; false where the terminal is not known.
bool shim_start(void);
/// Ends what `shim_start` began; the screen has been left with `endwin` before.
void shim_stop(void);
WINDOW *shim_stdscr(void);
/// Reads what the terminal can do, without starting ncurses on it; false where the terminal is not known.
bool shim_know(void);
/// A capability of the terminal as its bytes; NULL if it has none.
const char *shim_capability(const char *name);

/// A file in memory that no other program inherits, with these bytes, read from its start; -1 if there is none to be had.
int shim_memory_file(const void *bytes, size_t size);

/// Catches the signals that end, stop, resume and resize. Reads of the descriptor give their numbers, a byte each.
int shim_catch_signals(void);
/// Stops this process as an uncaught SIGTSTP does; returns when it goes on.
void shim_suspend(void);

/// From now on a crash writes `reset` to the terminal, puts its modes back to what they are now, and then goes its
/// way. Standard error is held back meanwhile, because a message would spoil the screen.
void shim_guard(const char *reset);
/// Ends the guard; what was written to standard error is shown.
void shim_unguard(void);
