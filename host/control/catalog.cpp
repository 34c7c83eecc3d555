#include "control/catalog.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/catalog_state.hpp"
#include "model/backup_name.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/execution_store.hpp"

namespace dbackup::host {
namespace {

constexpr TimeMs kFresh = 2LL * 60 * 60 * 1000;
constexpr size_t kBatch = 200;
constexpr int64_t kRunsToLookThrough = 1000;

/// Whose backup is it, when no sidecar says so?
class Guess {
 public:
  explicit Guess(Session& session) : session_{session} {}

  void fill(StoredBackup& backup) {
    if (const auto known = BackupStore{}.find(session_, backup.destination_id, backup.path)) {
      backup.execution_id = known->execution_id;
      backup.job_id = known->job_id;
      if (!known->job_name.empty()) backup.job_name = known->job_name;
    }
    if (!backup.execution_id.empty()) return;
    if (!runs_) runs_ = ExecutionStore{}.newest(session_, kRunsToLookThrough);
    const auto run = std::find_if(runs_->begin(), runs_->end(), [&](const Execution& candidate) {
      return candidate.type == "Backup" && candidate.path == backup.path;
    });
    if (run == runs_->end()) return;
    backup.execution_id = run->id;
    backup.job_id = run->job_id;
    if (!run->job_name.empty()) backup.job_name = run->job_name;
  }

 private:
  Session& session_;
  std::optional<std::vector<Execution>> runs_;
};

void save(Database& database, const std::vector<StoredBackup>& rows) {
  if (rows.empty()) return;
  database.write([&](Session& s) {
    Guess guess{s};
    for (StoredBackup row : rows) {
      if (row.sidecar.empty()) guess.fill(row);
      BackupStore{}.upsert(s, row);
    }
  });
}

}  // namespace

protocol::AdapterRef Catalog::State::storage(const std::string& destination_id) const {
  std::optional<AdapterConfig> found;
  context.database.read([&](Session& s) { found = AdapterStore{}.find(s, destination_id); });
  if (!found) throw Error(ErrorCode::NotFound, "destination not found");
  if (found->type != "storage") {
    throw Error(ErrorCode::InvalidArgument, "\"" + found->name + "\" is not a storage adapter");
  }
  return resolver.resolve(*found);
}

Catalog::Catalog(const ControlContext& context, WorkerClient& workers, const AdapterResolver& resolver,
                 const SidecarKeys& keys)
    : state_{new State{.context = context, .workers = workers, .resolver = resolver, .keys = keys}} {
  state_->background = std::thread{[this]() noexcept {
    const std::stop_token stop = state_->stop.get_token();
    std::unique_lock lock{state_->mutex};
    for (;;) {
      state_->changed.wait(lock, [&] { return stop.stop_requested() || !state_->wanted.empty(); });
      if (stop.stop_requested()) return;
      const std::string id = *state_->wanted.begin();
      lock.unlock();
      try {
        refresh_in(id, WorkerLane::Background, {});
      } catch (const std::exception& error) {
        log_warning("destination " + id + " cannot be listed: " + error.what());
      } catch (...) {
        log_warning("destination " + id + " cannot be listed");
      }
      lock.lock();
      state_->wanted.erase(id);
    }
  }};
}

Catalog::~Catalog() {
  state_->stop.request_stop();
  {
    const std::lock_guard lock{state_->mutex};
    state_->changed.notify_all();
  }
  state_->background.join();
}

StoredBackup Catalog::row_of(const std::string& destination_id, const std::string& path, int64_t size,
                             TimeMs modified_at, const std::string& sidecar_text) const {
  StoredBackup row{.id = new_uuid(), .destination_id = destination_id, .path = path};
  row.size = size;
  row.modified_at = modified_at;
  row.seen_at = state_->context.clock.now_ms();
  const size_t slash = path.find('/');
  if (slash != std::string::npos) {
    row.job_name = decode_path_component(path.substr(0, slash)).value_or(path.substr(0, slash));
  }
  if (sidecar_text.empty()) return row;
  try {
    const Sidecar sidecar = parse_sidecar(sidecar_text);
    row.sidecar = parse_json(sidecar_text, "sidecar");
    row.execution_id = sidecar.execution_id;
    row.job_id = sidecar.job_id;
    if (!sidecar.job_name.empty()) row.job_name = sidecar.job_name;
    row.signature = state_->keys.signature_of(sidecar_text);
    // Whoever altered it may have wished it away.
    row.locked = sidecar.locked || row.signature == "tampered";
  } catch (const Error&) {
    row.sidecar = Json::object();  // as if there were none: the backup itself may be whole
  }
  return row;
}

void Catalog::refresh(const std::string& destination_id) {
  refresh_in(destination_id, WorkerLane::Request, {});
}

void Catalog::refresh_quietly(const std::string& destination_id, const std::stop_token& stop) {
  refresh_in(destination_id, WorkerLane::Background, stop);
}

void Catalog::refresh_in(const std::string& destination_id, WorkerLane lane, const std::stop_token& stop) {
  std::stop_source either;
  const auto end = [&either] { either.request_stop(); };
  const std::stop_callback on_own{state_->stop.get_token(), end};
  const std::stop_callback on_asked{stop, end};
  const auto turn = state_->listing_lock(destination_id);
  const std::lock_guard lock{*turn};
  const TimeMs started_at = state_->context.clock.now_ms();
  // Later than any mark of an earlier listing, also when the clock stood still or was set back:
  // otherwise what is gone would look as if it had just been seen.
  TimeMs mark = started_at;
  state_->context.database.read([&](Session& s) {
    mark = std::max(mark, BackupStore{}.last_seen(s, destination_id) + 1);
  });
  const protocol::ListRequest request{
      .adapter = state_->storage(destination_id), .prefix = "", .sidecars = true};
  std::vector<StoredBackup> batch;
  std::vector<std::string> unreadable;  // folders, with a slash
  const auto keep_known = [&](StoredBackup& row) {
    // A sidecar that cannot be read now says as much as it did before.
    state_->context.database.read([&](Session& s) {
      if (auto known = BackupStore{}.find(s, destination_id, row.path)) row = std::move(*known);
    });
  };
  WorkerCall call;
  call.stop = either.get_token();
  call.lane = lane;
  call.on_event = [&](const protocol::Event& event) {
    if (event.kind != protocol::EventKind::Item) return;
    const std::string path = require_string(event.data, "path");
    if (is_sidecar_path(path) || path.starts_with(".dbackup/")) return;
    if (get_bool(event.data, "unreadable").value_or(false)) {
      unreadable.push_back(path + "/");
      return;
    }
    batch.push_back(row_of(destination_id, path, get_int(event.data, "size", 0).value_or(0),
                           get_int(event.data, "modifiedMs").value_or(0),
                           get_string(event.data, "sidecar").value_or("")));
    if (get_bool(event.data, "sidecarUnreadable").value_or(false)) keep_known(batch.back());
    batch.back().seen_at = std::max(batch.back().seen_at, mark);
    if (batch.size() < kBatch) return;
    save(state_->context.database, batch);
    batch.clear();
  };
  state_->workers.run(protocol::Operation::List, Json(request), call);
  save(state_->context.database, batch);
  // Only a listing that came to its end may say that something is gone.
  state_->context.database.write([&](Session& s) {
    for (const std::string& folder : unreadable) {
      BackupStore{}.keep_below(s, destination_id, folder, mark);
    }
    BackupStore{}.remove_unseen(s, destination_id, mark);
  });
  const std::lock_guard state_lock{state_->mutex};
  state_->listed_at[destination_id] = started_at;
}

void Catalog::look_at(const std::string& destination_id, bool is_refresh) {
  if (is_refresh) return refresh(destination_id);
  bool is_known = false, is_fresh = false;
  {
    const std::lock_guard lock{state_->mutex};
    const auto at = state_->listed_at.find(destination_id);
    is_known = at != state_->listed_at.end();
    is_fresh = is_known && state_->context.clock.now_ms() - at->second < kFresh;
  }
  if (is_fresh) return;
  bool has_rows = is_known;
  if (!is_known) {
    state_->context.database.read(
        [&](Session& s) { has_rows = BackupStore{}.has_any(s, destination_id); });
  }
  if (!has_rows) return refresh(destination_id);
  const std::lock_guard lock{state_->mutex};
  state_->wanted.insert(destination_id);
  state_->changed.notify_all();
}

std::vector<StoredBackup> Catalog::list(const std::string& destination_id, bool is_refresh,
                                        const BackupFilter& filter) {
  look_at(destination_id, is_refresh);
  std::vector<StoredBackup> rows;
  state_->context.database.read(
      [&](Session& s) { rows = BackupStore{}.list(s, destination_id, filter); });
  return rows;
}

StoredBackup Catalog::find(const std::string& destination_id, const std::string& path) {
  std::optional<StoredBackup> found;
  const auto look = [&] {
    state_->context.database.read(
        [&](Session& s) { found = BackupStore{}.find(s, destination_id, path); });
  };
  look();
  if (!found) {
    refresh(destination_id);
    look();
  }
  if (!found) throw Error(ErrorCode::NotFound, "there is no backup \"" + path + "\"");
  return *found;
}

std::optional<StoredBackup> Catalog::latest(const std::string& destination_id, const std::string& job_id,
                                            const std::string& job_name) {
  look_at(destination_id, /*is_refresh=*/false);  // known, or listed now
  std::optional<StoredBackup> found;
  state_->context.database.read(
      [&](Session& s) { found = BackupStore{}.latest(s, destination_id, job_id, job_name); });
  return found;
}

void Catalog::remove(const std::string& destination_id, const std::string& path) {
  // The backup first: a sidecar alone is invisible, a backup without its sidecar is not.
  const protocol::RemoveRequest request{.adapter = state_->storage(destination_id),
                                        .paths = {path, sidecar_path(path), path + ".index"}};
  state_->workers.run(protocol::Operation::Remove, Json(request));
  state_->context.database.write([&](Session& s) { BackupStore{}.remove(s, destination_id, path); });
}

}  // namespace dbackup::host
