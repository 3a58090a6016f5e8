#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static SCREEN *screen;
/// How the shell had left the terminal.
static struct termios modes;

/// Shortens what ncurses has read of the terminal by what leaves its line-drawing characters: they are never entered here,
/// and it would be sent with each change of style.
static void forget_line_drawing(void) {
  static const char *const names[] = {"sgr", "sgr0"};
  static const char *const leaves[] = {"%?%p9%t\033(0%e\033(B%;", "\033(B"};
  for (int i = 0; i < 2; i++) {
    char *text = tigetstr(names[i]);
    if (text == NULL || text == (char *)-1) continue;
    char *start = strstr(text, leaves[i]);
    if (start == NULL) continue;
    char *end = start + strlen(leaves[i]);
    memmove(start, end, strlen(end) + 1);
  }
}

bool shim_start(void) {
  tcgetattr(STDIN_FILENO, &modes);
  screen = newterm(NULL, stdout, stdin);
  if (screen != NULL) forget_line_drawing();
  return screen != NULL;
}

void shim_stop(void) {
  if (screen != NULL) delscreen(screen);
  screen = NULL;
}

WINDOW *shim_stdscr(void) { return stdscr; }

bool shim_know(void) {
  int problem;
  return setupterm(NULL, STDOUT_FILENO, &problem) == OK;
}

const char *shim_capability(const char *name) {
  const char *text = tigetstr(name);
  return text == (const char *)-1 ? NULL : text;
}

// Signals that the program answers by itself, in its own time.

static int signal_pipe[2] = {-1, -1};

static void tell(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t written = write(signal_pipe[1], &byte, 1);
  (void)written;
  errno = saved;
}

static void catch(int number) {
  struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART}, old;
  sigfillset(&action.sa_mask);
  sigaction(number, NULL, &old);
  if (old.sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

int shim_catch_signals(void) {
  static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
  if (signal_pipe[0] < 0 && pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) catch(caught[i]);
  return signal_pipe[0];
}

void shim_suspend(void) {
  sigset_t stop, before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  signal(SIGTSTP, SIG_DFL);
  raise(SIGTSTP);
  // The threads of a dispatch queue block signals: it stops here.
  pthread_sigmask(SIG_UNBLOCK, &stop, &before);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  catch(SIGTSTP);
}

// Crashes.

static const int crashes[] = {SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE};
enum { crash_count = sizeof crashes / sizeof *crashes };
static struct sigaction before[crash_count];
static char reset_text[512];
static size_t reset_size;
static int held = -1, real_error = -1;

static void write_all(int to, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t written = write(to, bytes, size);
    if (written <= 0) return;
    bytes += written;
    size -= (size_t)written;
  }
}

int shim_memory_file(const void *bytes, size_t size) {
  int file = memfd_create("text", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (write(file, bytes, size) == (ssize_t)size && lseek(file, 0, SEEK_SET) == 0) return file;
  close(file);
  return -1;
}

static void show_held(void) {
  if (held < 0) return;
  dup2(real_error, STDERR_FILENO);
  char bytes[1024];
  ssize_t size;
  lseek(held, 0, SEEK_SET);
  while ((size = read(held, bytes, sizeof bytes)) > 0) write_all(STDERR_FILENO, bytes, (size_t)size);
}

static void crashed(int number) {
  sigset_t background;
  sigemptyset(&background);
  sigaddset(&background, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &background, NULL);
  write_all(STDOUT_FILENO, reset_text, reset_size);
  tcsetattr(STDIN_FILENO, TCSANOW, &modes);
  show_held();
  for (int i = 0; i < crash_count; i++) sigaction(crashes[i], &before[i], NULL);
  raise(number);
}

void shim_guard(const char *reset) {
  reset_size = strnlen(reset, sizeof reset_text);
  memcpy(reset_text, reset, reset_size);
  if (isatty(STDERR_FILENO)) {
    real_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    held = memfd_create("stderr", MFD_CLOEXEC);
    if (held >= 0) dup2(held, STDERR_FILENO);
  }
  struct sigaction action = {.sa_handler = crashed};
  sigfillset(&action.sa_mask);
  for (int i = 0; i < crash_count; i++) sigaction(crashes[i], &action, &before[i]);
}

void shim_unguard(void) {
  for (int i = 0; i < crash_count; i++) sigaction(crashes[i], &before[i], NULL);
  show_held();
  if (held >= 0) close(held);
  if (real_error >= 0) close(real_error);
  held = real_error = -1;
}
