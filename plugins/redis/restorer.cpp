#include "restorer.hpp"

#include <charconv>
#include <chrono>

#include "crc64.hpp"

namespace dbackup::redis {
namespace {

constexpr size_t kMostPending = 1000;
constexpr uint64_t kMostPendingBytes = uint64_t{8} * 1024 * 1024;
constexpr int64_t kFlushMs = 30 * 60 * 1000;  // a server frees what it holds before it answers
constexpr int kFirstForeignVersion = 12;  // formats of Redis 7.4 and later, which Valkey refuses
constexpr int kFirstWithAbsoluteTtl = 5;
constexpr int kFirstWithFunctions = 7;

void append_le(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xFF);
}

/// 0 for what is no number.
uint64_t number(std::string_view text) {
  uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

Restorer::Restorer(const Call& call, Client& client, RestoreTarget target, const RestorePlan& plan)
    : call_{call}, client_{client}, target_{std::move(target)}, plan_{plan} {}

void Restorer::head(const RdbHead& head) {
  head_ = head;
  const std::string format =
      std::string{head.is_valkey ? "Valkey" : "RDB"} + " format " + std::to_string(head.version);
  const ServerInfo& info = target_.info;
  const int newest = target_.newest_version;
  const bool foreign = head.is_valkey != info.is_valkey() &&
                       (head.is_valkey || head.version >= kFirstForeignVersion);
  if (foreign || (newest > 0 && head.version > newest)) {
    throw Error{ErrorCode::FailedPrecondition,
                "the backup is in " + format + ", which " + info.product + " " + info.version +
                    " does not take" +
                    (newest > 0 ? " (its own is " + std::to_string(newest) + ")" : "") +
                    "; restore it into a server of the kind and version it came from"};
  }
}

void Restorer::about(const std::string& name, const std::string& value) {
  if (name == "redis-ver" || name == "valkey-ver") made_by_ = value;
}

/// `first_database`: where the first key goes, if there is one.
void Restorer::begin(std::optional<int64_t> first_database) {
  if (begun_) return;
  begun_ = true;
  call_.info("the backup was made by version " + (made_by_.empty() ? "unknown" : made_by_) +
             ", the target is " + target_.info.product + " " + target_.info.version);
  const Reply time = client_.ask({"TIME"});
  if (time.items.size() == 2) {  // seconds and microseconds
    const uint64_t ms = number(time.items[0].text) * 1000 + number(time.items[1].text) / 1000;
    server_ahead_ms_ = static_cast<int64_t>(ms) - now_ms();
  }
  evicted_before_ = evicted_keys();
  if (first_database) select(*first_database);  // it may be missing: to be known before the flush
  if (plan_.mode != RestoreMode::ReplaceAll) return;
  client_.be_patient_for(kFlushMs);
  if (!plan_.whole) {
    select(plan_.to_database);
    client_.demand({"FLUSHDB"});
  } else {
    client_.demand({"FLUSHALL"});
    if (target_.info.major() >= kFirstWithFunctions) {
      const Reply flushed = client_.ask({"FUNCTION", "FLUSH"});
      if (flushed.is_error()) {
        call_.warning(std::string{"functions of the server stay: "} +
                      error_of(flushed, "FUNCTION FLUSH").what());
      }
    }
  }
  client_.be_patient_for(kIdleMs);
}

int64_t Restorer::now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
             .count() +
         server_ahead_ms_;
}

uint64_t Restorer::evicted_keys() {
  const Reply stats = client_.ask({"INFO", "stats"});
  return number(info_field(stats.text, "evicted_keys"));
}

int64_t Restorer::target_of(const RdbKey& key) const {
  return plan_.whole ? static_cast<int64_t>(key.database) : plan_.to_database;
}

/// Runs `body`. When the server ends the connection meanwhile, its last answers say why.
template <class Body>
void Restorer::with_reason(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unavailable) throw;
    try {
      while (!pending_.empty()) take_answer();
    } catch (const Error& reason) {
      if (reason.code() != ErrorCode::Unavailable) throw;
    }
    throw;
  }
}

/// Sends by `body`.
template <class Body>
void Restorer::send(std::string what, uint64_t size, Body&& body) {
  pending_.push_back({std::move(what), size});
  pending_bytes_ += size;
  with_reason([&] {
    body();
    while (pending_.size() > kMostPending || pending_bytes_ > kMostPendingBytes) take_answer();
  });
}

void Restorer::take_answer() {
  client_.flush();
  const Reply reply = client_.receive();
  const Pending asked = std::move(pending_.front());
  pending_.pop_front();
  pending_bytes_ -= asked.size;
  if (!reply.is_error()) return;
  Error error = error_of(reply, "cannot restore " + asked.what);
  const bool is_damaged = reply.text.find("Bad data format") != std::string::npos;
  throw Error{is_damaged ? ErrorCode::DataLoss : error.code(), error.what()};
}

/// Waits for the answer: where the server refuses it, a key sent after it would replace one of the
/// database that was selected before.
void Restorer::select(int64_t database) {
  if (database == selected_) return;
  with_reason([&] {
    while (!pending_.empty()) take_answer();
    select_database(client_, database);
  });
  selected_ = database;
}

/// Version and checksum, as DUMP and FUNCTION DUMP end.
std::string_view Restorer::end_of(std::string_view payload) {
  end_.clear();
  append_le(end_, static_cast<uint64_t>(head_.version), 2);
  append_le(end_, crc64(crc64(0, payload), end_), 8);
  return end_;
}

void Restorer::function(std::string& payload) {
  if (!plan_.whole) {
    ++functions_left_out_;
    return;
  }
  if (!target_.may_restore_functions) {
    throw Error{ErrorCode::PermissionDenied,
                "the backup holds functions, and the server does not let the user run FUNCTION "
                "RESTORE (+function); grant it, or restore the databases one by one without them"};
  }
  begin({});
  ++functions_;
  const std::string_view end = end_of(payload);
  send("a function library", payload.size(), [&] {
    client_.queue({"FUNCTION", "RESTORE"}, payload, end, {"REPLACE"});
  });
}

void Restorer::module_data(const std::string& module) { modules_.insert(module); }

bool Restorer::wants(const RdbKey& key) {
  if (!plan_.whole && static_cast<int64_t>(key.database) != plan_.from_database) {
    ++elsewhere_;
    return false;
  }
  begin(target_of(key));
  if (key.expires_ms && *key.expires_ms <= now_ms()) {
    ++expired_;
    return false;
  }
  return true;
}

void Restorer::value(const RdbKey& key, std::string& payload) {
  select(target_of(key));
  const bool absolute = target_.info.is_valkey() || target_.info.major() >= kFirstWithAbsoluteTtl;
  std::string ttl = "0";
  if (key.expires_ms) {
    ttl = std::to_string(absolute ? *key.expires_ms
                                  : std::max<int64_t>(1, *key.expires_ms - now_ms()));
  }
  const std::string_view end = end_of(payload);
  send("key " + key.shown() + " of database \"" + std::to_string(key.database) + "\"",
       payload.size(), [&] {
         if (!absolute) {
           client_.queue({"RESTORE", key.name, ttl}, payload, end, {"REPLACE"});
         } else if (key.idle_seconds) {
           client_.queue({"RESTORE", key.name, ttl}, payload, end,
                         {"REPLACE", "ABSTTL", "IDLETIME", std::to_string(*key.idle_seconds)});
         } else if (key.frequency) {
           client_.queue({"RESTORE", key.name, ttl}, payload, end,
                         {"REPLACE", "ABSTTL", "FREQ", std::to_string(*key.frequency)});
         } else {
           client_.queue({"RESTORE", key.name, ttl}, payload, end, {"REPLACE", "ABSTTL"});
         }
       });
  ++restored_;
  databases_.insert(target_of(key));
}

void Restorer::finish() {
  begin({});  // a backup that holds nothing is restored too
  while (!pending_.empty()) take_answer();
  const uint64_t evicted = evicted_keys();
  if (evicted > evicted_before_) {
    throw Error{ErrorCode::ResourceExhausted,
                "the server threw away " + std::to_string(evicted - evicted_before_) +
                    " keys during the restore, as its maxmemory says; raise it and restore again"};
  }
  std::string text = "restored " + std::to_string(restored_) + " keys into " +
                     std::to_string(databases_.size()) + " databases";
  if (functions_ > 0) text += " and " + std::to_string(functions_) + " function libraries";
  if (expired_ > 0) text += "; " + std::to_string(expired_) + " had expired and were left out";
  if (elsewhere_ > 0) {
    text += "; " + std::to_string(elsewhere_) + " of other databases were left out";
  }
  if (functions_left_out_ > 0) {
    text += "; " + std::to_string(functions_left_out_) +
            " function libraries were left out: they belong to the whole server";
  }
  call_.info(text);
  for (const std::string& module : modules_) {
    call_.warning("data that the module \"" + module + "\" keeps beside the keys was left out");
  }
}

}  // namespace dbackup::redis
