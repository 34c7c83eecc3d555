#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "api/route_table.hpp"
#include "base/json.hpp"

namespace dbackup::host::openapi {

/// The OpenAPI 3.1 document of all routes. `server` is the address in its "servers".
Json document(const RouteTable& routes, const std::string& program_version,
              const std::string& server);

/// The name of a row's operation: "getJobsById". Unique, and as stable as method and path.
std::string operation_id(const RouteRow& row);

/// `value` as YAML 1.2. Every text that is no plain word is quoted, so none turns into a number or
/// a truth value.
std::string to_yaml(const Json& value);

/// What a common call sends and gets; null where there is no example.
struct Example {
  std::string_view operation;  ///< its id
  const char* request;         ///< JSON; nullptr: none
  const char* response;
};
std::span<const Example> examples() noexcept;

/// Moves schemas that occur more than once, or carry a title, out of a document's operations.
class SchemaShelf {
 public:
  /// To be called for every schema of the document before the first use().
  void count(const Json& schema);
  /// `schema` as the document shows it: with references. `hint` names what has no title.
  Json use(const Json& schema, const std::string& hint);
  /// components/schemas
  const Json& shelf() const noexcept { return shelf_; }

 private:
  std::string shelve(const std::string& key, const Json& schema, const std::string& hint);

  std::map<std::string, int> counts_;
  std::map<std::string, std::string> names_;  ///< by the schema's text
  Json shelf_ = Json::object();
};

}  // namespace dbackup::host::openapi
