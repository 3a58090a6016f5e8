#include "coverage.h"

#include <stdint.h>
#include <string.h>

enum { capacity = 1 << 20 };

/// How often each branch ran since the last run, up to 255.
static uint8_t hits_of[capacity];
/// Branches in the program; 0 where it was built without.
static uint32_t count;

/// The sizes of numbers of hits that each branch has had, a bit each.
static uint8_t seen[capacity];

void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {
  if (start == stop || *start) return;
  for (uint32_t *guard = start; guard < stop && count + 1 < capacity; guard++) *guard = ++count;
}

void __sanitizer_cov_trace_pc_guard(uint32_t *guard) {
  uint8_t *hits = &hits_of[*guard];
  if (*hits < 255) ++*hits;
}

static uint8_t size(uint8_t hits) {
  if (hits < 4) return (uint8_t)(1 << (hits - 1));
  return hits < 8 ? 8 : hits < 16 ? 16 : hits < 32 ? 32 : hits < 128 ? 64 : 128;
}

int coverage_is_on(void) { return count > 0; }

int coverage_is_new(void) {
  int is_new = 0;
  uint32_t end = count + 1;
  for (uint32_t word = 0; word < end; word += 8) {
    uint64_t hits;
    memcpy(&hits, hits_of + word, 8);
    if (!hits) continue;
    for (uint32_t edge = word; edge < word + 8; edge++) {
      if (!hits_of[edge]) continue;
      uint8_t bit = size(hits_of[edge]);
      // Edge 0 is that of code that was loaded before it was counted.
      if (edge && !(seen[edge] & bit)) {
        seen[edge] |= bit;
        is_new = 1;
      }
    }
    memset(hits_of + word, 0, 8);
  }
  return is_new;
}
