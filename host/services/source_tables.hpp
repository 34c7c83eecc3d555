#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace dbackup::host {

class ControlPlane;
namespace protocol {
enum class Operation;
struct AdapterRef;
}  // namespace protocol

/// Which source is looked into: a stored one, or a configuration as it was sent, which wins.
struct SourceTarget {
  std::string source_id;
  std::string adapter_id;
  std::optional<Json> config;
};

struct DatabaseStats {
  std::string version, edition;  ///< "": not known
  std::vector<Json> databases;   ///< {name, sizeInBytes?, tableCount?}
};

struct TableRows {
  std::vector<Json> columns;  ///< {name, dataType, nullable?, primaryKey?, defaultValue?}
  int64_t total_count = 0;
  std::vector<Json> rows;  ///< column → text or null
};

/// Looks into the databases of sources; changes nothing. All block on a worker. Throws
/// Error{InvalidArgument} when neither a source nor a configuration is named and when the kind
/// lacks the function, {NotFound} for an unknown source, kind, database or table. [any-thread]
class SourceTables {
 public:
  explicit SourceTables(ControlPlane& control) : control_{control} {}

  DatabaseStats stats(const SourceTarget& target);
  /// {name, type, rowCount?, sizeInBytes?}
  std::vector<Json> tables(const SourceTarget& target, const std::string& database);
  /// `query` as plugins get it: database, table, page, pageSize, search, …
  TableRows rows(const SourceTarget& target, const Json& query);

 private:
  protocol::AdapterRef resolve(const SourceTarget& target, const char* capability,
                               const char* what) const;
  /// The items; `result` gets the answer's members.
  std::vector<Json> ask(protocol::Operation operation, const Json& request, Json* result = nullptr);

  ControlPlane& control_;
};

}  // namespace dbackup::host
