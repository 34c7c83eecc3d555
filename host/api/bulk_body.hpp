#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "api/schema.hpp"
#include "services/bulk.hpp"

/// Bodies and answers of the bulk calls, all alike: {"action":…,"ids":[…]}, 1 to 200 entries.
namespace dbackup::host {

struct BulkCommand {
  std::string action;
  std::vector<std::string> entries;  ///< each once
};

namespace schemas {

/// For the row's `request`: `Json jobs_bulk() { return bulk_request({"delete", "enable"}); }`.
Json bulk_request(std::initializer_list<std::string_view> actions, std::string_view list = "ids");
/// For its `response`.
Json bulk_answer();

}  // namespace schemas

/// A body that its schema has admitted. `list`: the member that holds the entries.
BulkCommand parse_bulk(const Json& body, std::string_view list = "ids");

namespace render {

Json bulk(const BulkOutcome& outcome, const BulkWords& words);

}  // namespace render
}  // namespace dbackup::host
