#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dbackup::host {

/// Writes JSON text without a document in between: for the answers that are asked for thousands of
/// times a second, where building and freeing the document is most of the work. The caller keeps the
/// order right (key, value, key, …); what comes out is compact.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  /// `name` is a name of ours: it needs no escaping.
  JsonWriter& key(std::string_view name);
  /// Invalid UTF-8 is replaced, as dump_json() does.
  JsonWriter& text(std::string_view value);
  JsonWriter& number(int64_t value);
  JsonWriter& flag(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  /// `json` is the text of one value.
  JsonWriter& raw(std::string_view json);
  /// "" becomes null.
  JsonWriter& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }

  std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace dbackup::host
