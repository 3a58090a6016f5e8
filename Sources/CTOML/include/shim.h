// toml++ is C++, and Swift gets its tree as one list: each node before its members.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Line and column from 1, the column in characters.
typedef struct {
  uint32_t line;
  uint32_t column;
} ctoml_place;

enum ctoml_kind { CTOML_TEXT, CTOML_TABLE, CTOML_ARRAY };

typedef struct {
  enum ctoml_kind kind;
  /// Of a table's member its name and where that stands; of others NULL.
  const char *key;
  size_t key_size;
  ctoml_place key_place;
  /// Where the value begins.
  ctoml_place place;
  /// A string's value; numbers, truths and dates as text. NULL for a table and an array.
  const char *text;
  size_t text_size;
  /// How many members a table or array has.
  size_t count;
} ctoml_node;

typedef struct ctoml_document ctoml_document;

/// Reads a whole text; NULL where there is no memory. Values in values go at most eight deep.
ctoml_document *ctoml_read(const char *text, size_t size);
/// All nodes, the root first; none if there is a mistake. They live as long as the document.
const ctoml_node *ctoml_nodes(const ctoml_document *document, size_t *count);
/// Why the text is no TOML, and where; NULL if it is.
const char *ctoml_mistake(const ctoml_document *document, ctoml_place *place);
void ctoml_free(ctoml_document *document);

#ifdef __cplusplus
}
#endif
