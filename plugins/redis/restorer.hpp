#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>

#include "rdb_reader.hpp"
#include "server.hpp"

namespace dbackup::redis {

/// What of a backup goes where.
struct RestorePlan {
  RestoreMode mode = RestoreMode::ReplaceAll;
  bool whole = true;          ///< all databases and functions, each to its own place
  int64_t from_database = 0;  ///< else: this one of the backup
  int64_t to_database = 0;    ///< into this one, and nothing else
};

/// What was found out about the server before the first byte of the backup was read.
struct RestoreTarget {
  ServerInfo info;
  int newest_version = 0;  ///< of RDB payloads that the server takes; 0: unknown
  bool may_restore_functions = true;
};

/// Sends the parts of an RDB file to a server as they come: RESTORE for each key, FUNCTION RESTORE
/// for each library, many on the way at a time. Nothing is changed before the first of them, nor
/// for a file of a version that the server does not take, for functions that the user may not
/// restore, or when the server lacks the database of the first key.
class Restorer final : public RdbParts {
 public:
  Restorer(const Call& call, Client& client, RestoreTarget target, const RestorePlan& plan);

  void head(const RdbHead& head) override;
  void about(const std::string& name, const std::string& value) override;
  void function(std::string& payload) override;
  void module_data(const std::string& module) override;
  bool wants(const RdbKey& key) override;
  void value(const RdbKey& key, std::string& payload) override;

  /// After the last part: waits for every answer and makes sure that nothing was lost.
  void finish();

 private:
  struct Pending {
    std::string what;
    uint64_t size = 0;
  };

  void begin(std::optional<int64_t> first_database);
  void select(int64_t database);
  template <class Body>
  void with_reason(Body&& body);
  std::string_view end_of(std::string_view payload);
  template <class Body>
  void send(std::string what, uint64_t size, Body&& body);
  void take_answer();
  int64_t now_ms();
  uint64_t evicted_keys();
  int64_t target_of(const RdbKey& key) const;

  Call call_;
  Client& client_;
  RestoreTarget target_;
  RestorePlan plan_;

  RdbHead head_;
  std::string made_by_;  ///< "7.0.15", as the backup says
  std::string end_;
  bool begun_ = false;
  int64_t selected_ = -1;
  int64_t server_ahead_ms_ = 0;  ///< of our clock
  uint64_t evicted_before_ = 0;
  std::deque<Pending> pending_;
  uint64_t pending_bytes_ = 0;

  uint64_t restored_ = 0;
  uint64_t expired_ = 0;
  uint64_t elsewhere_ = 0;  ///< in databases that are not wanted
  uint64_t functions_ = 0;
  uint64_t functions_left_out_ = 0;
  std::set<int64_t> databases_;
  std::set<std::string> modules_;
};

}  // namespace dbackup::redis
