#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/catalog.hpp"
#include "control/catalog_state.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "store/backup_store.hpp"

namespace dbackup::host {

void Catalog::State::write_sidecar(StoredBackup& backup, const Sidecar& sidecar, WorkerLane lane) {
  std::string text;
  if (backup.signature == "signed") {
    Sidecar own = sidecar;
    own.mac_key_id = keys.key_id();
    text = render_signed_sidecar(own, keys.key(sidecar.execution_id).reveal());
  } else {
    text = render_sidecar(sidecar);
  }
  const protocol::WriteSidecarRequest request{.adapter = storage(backup.destination_id),
                                              .path = backup.path,
                                              .content = text,
                                              .token = new_uuid()};
  WorkerCall call;
  call.lane = lane;
  workers.run(protocol::Operation::WriteSidecar, Json(request), call);
  backup.sidecar = parse_json(text, "sidecar");
  context.database.write([&](Session& s) { BackupStore{}.upsert(s, backup); });
}

void Catalog::set_locked(const std::string& destination_id, const std::string& path, bool locked) {
  StoredBackup backup = find(destination_id, path);
  if (backup.signature == "tampered") {
    throw Error(ErrorCode::FailedPrecondition,
                "the metadata of \"" + path + "\" was altered: its lock cannot be changed", {}, "tampered");
  }
  const auto store = [&] {
    state_->context.database.write([&](Session& s) { BackupStore{}.set_locked(s, backup.id, locked); });
  };
  // At every instant in between the backup is locked rather than not.
  if (locked) store();
  if (!backup.sidecar.empty()) {
    Sidecar sidecar = parse_sidecar(dump_json(backup.sidecar));
    sidecar.locked = locked;
    backup.locked = locked;
    state_->write_sidecar(backup, sidecar, WorkerLane::Request);
  }
  if (!locked) store();
}

Catalog::Verification Catalog::verify(const std::string& destination_id, const std::string& path,
                                      const VerifyOptions& options) {
  StoredBackup backup = find(destination_id, path);
  Verification out{.verified_at = state_->context.clock.now_ms()};
  if (backup.sidecar.empty()) {
    out.status = "no_metadata";
    return out;
  }
  if (backup.signature == "tampered") {
    // Whoever altered it can have written the hash of anything.
    out.status = "failed";
    out.error = "its metadata was altered, so there is no hash to rely on";
    return out;
  }
  Sidecar sidecar = parse_sidecar(dump_json(backup.sidecar));
  if (sidecar.checksum.empty()) {
    out.status = "no_checksum";
    return out;
  }
  out.expected = sidecar.checksum;
  const WorkerLane lane = options.is_run ? WorkerLane::Run : WorkerLane::Request;
  try {
    WorkerCall call;
    call.stop = options.stop;
    call.lane = lane;
    call.on_event = [&](const protocol::Event& event) {
      if (event.kind != protocol::EventKind::Progress || !options.on_progress) return;
      options.on_progress(get_int(event.data, "done", 0).value_or(0),
                          get_int(event.data, "total", 0).value_or(0));
    };
    const protocol::PathRequest request{.adapter = state_->storage(destination_id), .path = path};
    out.actual = require_string(
        state_->workers.run(protocol::Operation::Verify, Json(request), call), "sha256");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled || error.reason() == "busy") throw;
    out.status = "download_error";
    out.error = error.what();
    return out;
  }
  const bool passed = out.actual == out.expected;
  out.status = passed ? "passed" : "failed";
  sidecar.verification = SidecarVerification{.verified_at = format_iso8601(out.verified_at),
                                             .passed = passed,
                                             .trigger = options.trigger,
                                             .actual_checksum = out.actual};
  try {
    state_->write_sidecar(backup, sidecar, lane);
  } catch (const Error& error) {
    log_warning("the verification of \"" + path + "\" could not be noted beside it: " + error.what());
  }
  return out;
}

}  // namespace dbackup::host
