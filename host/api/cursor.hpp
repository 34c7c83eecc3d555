#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/execution_list_store.hpp"

namespace dbackup::host {

struct ApiRequest;

/// A place in a list, and the number of the page that begins there. Clients see a text without
/// meaning.
struct Cursor {
  ExecutionPosition after;
  int64_t page = 1;
};

std::string cursor_text(const Cursor& cursor);
/// Throws Error{InvalidArgument} for a text that cursor_text() does not write.
Cursor parse_cursor(const std::string& text);

/// The parameter `label`, any number of times: "name=value" each. Throws Error{InvalidArgument}.
std::vector<std::pair<std::string, std::string>> labels_of(const ApiRequest& request);

}  // namespace dbackup::host
