#include "shim.h"

#include <stdexcept>

// What toml++ 3.3 takes for granted is not always so: "[[[" ends the process, or worse where it is not asserted.
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? void() : throw std::logic_error("this is no TOML"))
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#define TOML_MAX_NESTED_VALUES 8
#include <toml++/toml.h>

#include <algorithm>
#include <deque>
#include <new>
#include <sstream>
#include <string>
#include <vector>

struct ctoml_document {
  toml::table root;
  std::vector<ctoml_node> nodes;
  /// Texts of values that are no strings; a deque, because nodes point into it.
  std::deque<std::string> texts;
  std::string mistake;
  ctoml_place at{};
};

namespace {

ctoml_place place(const toml::source_region &region) { return {region.begin.line, region.begin.column}; }

bool before(const ctoml_place &left, const ctoml_place &right) {
  return left.line != right.line ? left.line < right.line : left.column < right.column;
}

void add(ctoml_document &document, const toml::key *key, const toml::node &node) {
  ctoml_node made{};
  if (key) {
    made.key = key->data();
    made.key_size = key->length();
    made.key_place = place(key->source());
  }
  made.place = place(node.source());
  if (const auto *table = node.as_table()) {
    made.kind = CTOML_TABLE;
    made.count = table->size();
    document.nodes.push_back(made);
    // toml++ has them by their names.
    std::vector<std::pair<const toml::key *, const toml::node *>> members;
    for (auto &&[name, member] : *table) members.emplace_back(&name, &member);
    std::sort(members.begin(), members.end(), [](const auto &left, const auto &right) {
      return before(place(left.first->source()), place(right.first->source()));
    });
    for (const auto &[name, member] : members) add(document, name, *member);
  } else if (const auto *array = node.as_array()) {
    made.kind = CTOML_ARRAY;
    made.count = array->size();
    document.nodes.push_back(made);
    for (const auto &member : *array) add(document, nullptr, member);
  } else {
    made.kind = CTOML_TEXT;
    if (const auto *string = node.as_string()) {
      made.text = string->get().data();
      made.text_size = string->get().size();
    } else {
      std::ostringstream text;
      text << std::boolalpha;
      node.visit([&](const auto &value) {
        if constexpr (toml::is_value<decltype(value)>) text << value.get();
      });
      const auto &kept = document.texts.emplace_back(text.str());
      made.text = kept.data();
      made.text_size = kept.size();
    }
    document.nodes.push_back(made);
  }
}

}  // namespace

ctoml_document *ctoml_read(const char *text, size_t size) {
  auto *document = new (std::nothrow) ctoml_document;
  if (!document) return nullptr;
  try {
    document->root = toml::parse(std::string_view(text, size));
    add(*document, nullptr, document->root);
    return document;
  } catch (const toml::parse_error &error) {
    document->mistake = error.description();
    document->at = place(error.source());
    return document;
  } catch (const std::logic_error &error) {
    document->mistake = error.what();
    document->at = {1, 1};
    return document;
  } catch (...) {  // only want of memory is left
    delete document;
    return nullptr;
  }
}

const ctoml_node *ctoml_nodes(const ctoml_document *document, size_t *count) {
  *count = document->nodes.size();
  return document->nodes.data();
}

const char *ctoml_mistake(const ctoml_document *document, ctoml_place *place) {
  if (document->mistake.empty()) return nullptr;
  *place = document->at;
  return document->mistake.c_str();
}

void ctoml_free(ctoml_document *document) { delete document; }
