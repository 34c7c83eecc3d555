#include "control/reconcile.hpp"

#include <algorithm>
#include <chrono>

#include "base/error.hpp"
#include "base/logging.hpp"
#include "control/adapter_resolver.hpp"
#include "control/catalog.hpp"
#include "control/restore_cleanup.hpp"
#include "control/sidecar_keys.hpp"
#include "control/worker_client.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "store/adapter_store.hpp"
#include "store/backup_store.hpp"
#include "store/execution_store.hpp"
#include "store/restore_cleanup_store.hpp"

namespace dbackup::host {
namespace {

constexpr std::chrono::minutes kListLimit{10};
constexpr std::chrono::minutes kRemoveLimit{2};
constexpr std::chrono::seconds kRestoreLimit{60};
constexpr TimeMs kSilence = 5LL * 60 * 1000;  // recorders give a sign every 30 s
constexpr const char* kStopped = "the server was stopped while this run was under way";

WorkerCall call_with(std::chrono::milliseconds limit, const std::stop_token& stop) {
  WorkerCall call;
  call.stop = stop;
  call.deadline = limit;
  call.lane = WorkerLane::Run;
  return call;
}

struct Found {
  int64_t size = 0;
  TimeMs modified_at = 0;
  std::string sidecar;
};

/// What lies at `path`, with its sidecar's text. Throws when it, its sidecar or its folder cannot be
/// read: nothing may be concluded from that.
std::optional<Found> look_at(WorkerClient& workers, const protocol::AdapterRef& storage,
                             const std::string& path, const std::stop_token& stop) {
  const size_t slash = path.rfind('/');
  const protocol::ListRequest request{
      .adapter = storage,
      .prefix = slash == std::string::npos ? "" : path.substr(0, slash),
      .sidecars = true};
  std::optional<Found> found;
  bool is_unreadable = false;
  WorkerCall call = call_with(kListLimit, stop);
  call.on_event = [&](const protocol::Event& event) {
    if (event.kind != protocol::EventKind::Item) return;
    const std::string seen = get_string(event.data, "path").value_or("");
    if (get_bool(event.data, "unreadable").value_or(false)) {
      is_unreadable = is_unreadable || path.starts_with(seen + "/");
      return;
    }
    if (seen != path) return;
    is_unreadable = is_unreadable || get_bool(event.data, "sidecarUnreadable").value_or(false);
    found = Found{.size = get_int(event.data, "size", 0).value_or(0),
                  .modified_at = get_int(event.data, "modifiedMs").value_or(0),
                  .sidecar = get_string(event.data, "sidecar").value_or("")};
  };
  workers.run(protocol::Operation::List, Json(request), call);
  if (is_unreadable) {
    throw Error(ErrorCode::Unavailable, "its metadata or its folder cannot be read");
  }
  return found;
}

enum class Owner { ThisRun, Nobody, SomebodyElse };

Owner owner_of(const Found& found, const Reservation& reservation, const SidecarKeys& keys) {
  if (found.sidecar.empty()) return Owner::Nobody;
  try {
    const Sidecar sidecar = parse_sidecar(found.sidecar);
    const bool is_ours = sidecar.execution_id == reservation.execution_id &&
                         keys.signature_of(found.sidecar) == "signed" &&
                         sidecar.size.value_or(-1) == found.size;
    return is_ours ? Owner::ThisRun : Owner::SomebodyElse;
  } catch (const Error&) {
    return Owner::SomebodyElse;
  }
}

}  // namespace

/// One thread at a time looks at a reservation: a second one would remove, by what it saw before, the file
/// of a run that took the path meanwhile.
class Reconciler::Turn {
 public:
  Turn(Reconciler& owner, const std::string& token) : owner_{owner}, token_{token} {
    std::unique_lock lock{owner_.mutex_};
    owner_.changed_.wait(lock, [&] { return !owner_.busy_.contains(token_); });
    owner_.busy_.insert(token_);
  }
  ~Turn() {
    const std::lock_guard lock{owner_.mutex_};
    owner_.busy_.erase(token_);
    owner_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Reconciler& owner_;
  std::string token_;
};

Reconciler::Outcome Reconciler::inspect(const Reservation& reservation, bool is_foreign,
                                        const std::stop_token& cancel) {
  // A caller's own token is asked to stop when the server stops, too.
  const std::stop_token stop = cancel.stop_possible() ? cancel : stop_.get_token();
  std::optional<AdapterConfig> destination;
  context_.database.read(
      [&](Session& s) { destination = AdapterStore{}.find(s, reservation.destination_id); });
  if (!destination) return {ReservationFate::Absent, {}};  // deleted: it will never answer again
  try {
    const protocol::AdapterRef storage = resolver_.resolve(*destination);
    workers_.run(protocol::Operation::Cleanup,
                 Json(protocol::CleanupRequest{.adapter = storage, .token = reservation.token}),
                 call_with(kRemoveLimit, stop));
    const auto found = look_at(workers_, storage, reservation.path, stop);
    if (!found) return {ReservationFate::Absent, {}};
    const Owner owner = owner_of(*found, reservation, keys_);
    if (owner == Owner::ThisRun) {
      return {ReservationFate::Adopted,
              catalog_.row_of(reservation.destination_id, reservation.path, found->size,
                              found->modified_at, found->sidecar)};
    }
    if (owner == Owner::SomebodyElse || is_foreign) return {ReservationFate::Foreign, {}};
    workers_.run(protocol::Operation::Remove,
                 Json(protocol::RemoveRequest{.adapter = storage, .paths = {reservation.path}}),
                 call_with(kRemoveLimit, stop));
    return {ReservationFate::Removed, {}};
  } catch (const Error& error) {
    log_warning("what run " + reservation.execution_id + " left at \"" + reservation.path +
                "\" cannot be seen yet: " + error.what());
    return {ReservationFate::Unreachable, {}};
  }
}

void Reconciler::note(Session& session, const Reservation& reservation, const Outcome& outcome) {
  if (outcome.fate == ReservationFate::Unreachable) return;
  if (outcome.adopted) BackupStore{}.upsert(session, *outcome.adopted);
  ReservationStore{}.remove(session, reservation.token);
}

void Reconciler::note_recovery(Session& session, const Reservation& reservation) {
  // The run keeps the end it had: whoever was told "Failed" must not find it rewritten. That the
  // backup is there after all stands in its log and metadata.
  auto run = ExecutionStore{}.find(session, reservation.execution_id);
  if (!run || !run->ended_at) return;
  Json& recovered = run->metadata["recovered"];
  if (!recovered.is_array()) recovered = Json::array();
  recovered.push_back({{"configId", reservation.destination_id}, {"path", reservation.path}});
  ExecutionStore{}.set_metadata(session, run->id, run->metadata);
  LogEntry line{.seq = ExecutionStore{}.last_log_seq(session, run->id) + 1,
                .at = context_.clock.now_ms()};
  line.level = "success";
  line.type = "storage";
  line.stage = "Recovery";
  line.message = "the backup \"" + reservation.path +
                 "\" was found whole at its destination after all and is in the listing";
  ExecutionStore{}.append_logs(session, run->id, {line});
}

bool Reconciler::is_open(const Reservation& reservation) {
  bool found = false;
  context_.database.read([&](Session& s) {
    for (const auto& row : ReservationStore{}.of_execution(s, reservation.execution_id)) {
      found = found || row.token == reservation.token;
    }
  });
  return found;
}

ReservationFate Reconciler::settle(const Reservation& reservation, bool is_foreign,
                                   std::stop_token cancel) {
  const Turn turn{*this, reservation.token};
  if (!is_open(reservation)) return ReservationFate::Absent;  // another thread has seen to it
  const Outcome outcome = inspect(reservation, is_foreign, cancel);
  context_.database.write([&](Session& s) {
    note(s, reservation, outcome);
    if (outcome.adopted) note_recovery(s, reservation);
  });
  return outcome.fate;
}

bool Reconciler::end_dead_run(const Execution& run) {
  std::vector<Reservation> reservations;
  context_.database.read(
      [&](Session& s) { reservations = ReservationStore{}.of_execution(s, run.id); });
  ExecutionEnd end{.status = "Failed", .error = kStopped, .path = run.path, .size = run.size};
  end.metadata = run.metadata.is_object() ? run.metadata : Json::object();
  Json destinations = Json::array();
  std::vector<Outcome> outcomes;
  size_t adopted = 0;
  for (const auto& reservation : reservations) {
    const Turn turn{*this, reservation.token};
    outcomes.push_back(inspect(reservation, /*is_foreign=*/false, {}));
    if (stop_.stop_requested()) return false;  // not seen is not the same as not there
    const auto& row = outcomes.back().adopted;
    Json entry{{"configId", reservation.destination_id},
               {"path", reservation.path},
               {"status", row ? "success" : "failed"}};
    if (row) {
      ++adopted;
      end.path = row->path;
      end.size = row->size;
    } else {
      entry["error"] = kStopped;
    }
    destinations.push_back(std::move(entry));
  }
  if (!destinations.empty()) end.metadata["destinations"] = std::move(destinations);
  if (adopted > 0 && adopted == reservations.size()) {
    end.status = "Success";
    end.error.clear();
  } else if (adopted > 0) {
    end.status = "Partial";
  }
  if (run.type == "Restore") {
    const std::string left = cleanup_restore(context_, workers_, resolver_, run, kRestoreLimit);
    if (stop_.stop_requested()) return false;
    if (!left.empty()) end.error += "; " + left;
  }
  end.ended_at = context_.clock.now_ms();
  bool has_ended = false;
  context_.database.write([&](Session& s) {
    has_ended = ExecutionStore{}.end_abandoned(s, run.id, end);
    if (!has_ended) return;
    // Together with the status: what was adopted counts once, and a kill here repeats all of it.
    for (size_t i = 0; i < reservations.size(); ++i) note(s, reservations[i], outcomes[i]);
    LogEntry line{.seq = ExecutionStore{}.last_log_seq(s, run.id) + 1, .at = end.ended_at};
    line.level = end.status == "Success" ? "success" : "error";
    line.type = "general";
    line.stage = "Recovery";
    line.message = end.status == "Success"
                       ? "the server was stopped, but the backup was found whole at every destination"
                       : end.error;
    ExecutionStore{}.append_logs(s, run.id, {line});
  });
  if (has_ended) context_.news->tell(run.id, RunNews::What::Status);
  return has_ended;
}

void Reconciler::end_dead_runs() {
  std::vector<Execution> dead;
  context_.database.read(
      [&](Session& s) { dead = ExecutionStore{}.running_elsewhere(s, context_.host_id); });
  for (const auto& run : dead) {
    // Several hosts may share a PostgreSQL: a row of another one is dead once nobody writes to it.
    const TimeMs last_sign = std::max(run.heartbeat_at, run.started_at);
    if (!context_.database.is_sqlite() && context_.clock.now_ms() - last_sign < kSilence) continue;
    try {
      end_dead_run(run);
    } catch (const std::exception& error) {
      log_error("run " + run.id + " of a stopped server cannot be ended: " + error.what());
    }
  }
}

void Reconciler::finish_restores() {
  std::vector<Execution> left;
  context_.database.read([&](Session& s) {
    for (const std::string& id : RestoreCleanupStore{}.list(s)) {
      auto run = ExecutionStore{}.find(s, id);
      if (run && run->ended_at) left.push_back(std::move(*run));
    }
  });
  for (const Execution& run : left) {
    if (stop_.stop_requested()) return;
    if (!cleanup_restore(context_, workers_, resolver_, run, kRestoreLimit).empty()) continue;
    context_.database.write([&](Session& s) {
      LogEntry line{.seq = ExecutionStore{}.last_log_seq(s, run.id) + 1,
                    .at = context_.clock.now_ms()};
      line.level = "success";
      line.type = "general";
      line.stage = "Recovery";
      line.message = "what the restore left unfinished at its target was removed";
      ExecutionStore{}.append_logs(s, run.id, {line});
    });
  }
}

size_t Reconciler::sweep(const std::string& destination_id, std::stop_token cancel) {
  std::vector<Reservation> abandoned;
  context_.database.read([&](Session& s) { abandoned = ReservationStore{}.abandoned(s); });
  size_t left = 0;
  for (const auto& reservation : abandoned) {
    if (stop_.stop_requested() || cancel.stop_requested()) return abandoned.size();
    if (!destination_id.empty() && reservation.destination_id != destination_id) continue;
    try {
      if (settle(reservation, /*is_foreign=*/false, cancel) == ReservationFate::Unreachable) ++left;
    } catch (const std::exception& error) {
      ++left;
      log_error("what run " + reservation.execution_id + " left cannot be looked after: " + error.what());
    }
  }
  return left;
}

}  // namespace dbackup::host
