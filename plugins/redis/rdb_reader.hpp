#pragma once

#include <optional>
#include <string>

#include "rdb_input.hpp"
#include "replication.hpp"

namespace dbackup::redis {

/// One key of an RDB file, without its value.
struct RdbKey {
  uint64_t database = 0;
  std::string name;
  std::optional<int64_t> expires_ms;  ///< since 1970
  std::optional<uint64_t> idle_seconds;
  std::optional<uint8_t> frequency;
  uint64_t position = 0;  ///< of its value in the file

  /// The name for messages: at most 100 bytes, quoted, with \x… for what cannot be shown.
  std::string shown() const;
};

/// Takes the parts of an RDB file in the order in which they stand in it.
class RdbParts {
 public:
  virtual ~RdbParts() = default;
  virtual void head(const RdbHead& head) = 0;
  virtual void about(const std::string& name, const std::string& value) = 0;
  /// `payload`: as FUNCTION DUMP gives one library, without the end (version and checksum).
  virtual void function(std::string& payload) = 0;
  /// Data of a module beside the keys: skipped.
  virtual void module_data(const std::string& module) = 0;
  /// Shall the value be given? Called before value().
  virtual bool wants(const RdbKey& key) = 0;
  /// `payload`: as DUMP gives the value, without its end; may be changed.
  virtual void value(const RdbKey& key, std::string& payload) = 0;
};

/// Reads a whole RDB file in one pass; returns after its checksum was right and nothing follows.
/// `most_value_bytes`: what one value may take. Throws Error: InvalidArgument (no RDB file),
/// DataLoss, ResourceExhausted, Unimplemented naming what this reader does not know.
void read_rdb(const Call& call, Reader& in, uint64_t most_value_bytes, RdbParts& parts);

}  // namespace dbackup::redis
