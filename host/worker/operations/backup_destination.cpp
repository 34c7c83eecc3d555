#include "worker/operations/backup_destination.hpp"

#include "model/backup_name.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {
namespace {

/// Knows afterwards whether it was the stream that failed.
class WatchedSource final : public ByteSource {
 public:
  WatchedSource(PipeReader& reader, bool& failed) : reader_{reader}, failed_{failed} {}
  size_t read(std::span<std::byte> buffer) override {
    try {
      return reader_.read(buffer);
    } catch (...) {
      failed_ = true;
      throw;
    }
  }
  bool reached_end() const override { return reader_.reached_end(); }

 private:
  PipeReader& reader_;
  bool& failed_;
};

}  // namespace

DestinationRun::DestinationRun(const protocol::BackupDestination& destination, std::string confirm,
                               OperationContext& context)
    : destination_{destination},
      confirm_mode_{std::move(confirm)},
      context_{context},
      journal_{context.events} {
  try {
    storage_.emplace(destination_.adapter, journal_, context_.cancel);
  } catch (...) {
    note_failure();
  }
}

DestinationRun::~DestinationRun() { join(); }

void DestinationRun::note_failure() noexcept {
  failure_ = current_cause();
  if (context_.cancel.is_cancelled() || stream_failed_) return;  // told once, by the operation
  try {
    const std::string text =
        "destination \"" + destination_.name + "\" failed: " + failure_->what();
    context_.events.log({.level = JournalLevel::Error,
                         .type = JournalType::Storage,
                         .message = text,
                         .details = failure_->detail()});
  } catch (...) {  // no memory for the words
  }
}

bool DestinationRun::is_taken(const std::string& path) {
  try {
    return storage_->stat(path).has_value() || storage_->stat(sidecar_path(path)).has_value();
  } catch (...) {
    note_failure();
    return false;
  }
}

void DestinationRun::start(const std::string& path, PipeReader& reader,
                           std::shared_future<StoredStream> stream) {
  path_ = path;
  thread_ = std::thread{[this, &reader, stream = std::move(stream)]() noexcept {
    try {
      run(reader, stream);
    } catch (...) {
      note_failure();
      // The others do not wait for this one any more.
      reader.fail(failure_);
      std::optional<uint64_t> sent;
      try {
        if (reader.reached_end()) sent = stream.get().size;
      } catch (...) {  // the source failed after all: there is no size
      }
      tidy_up(sent);
    }
  }};
}

void DestinationRun::join() {
  if (thread_.joinable()) thread_.join();
}

void DestinationRun::run(PipeReader& reader, const std::shared_future<StoredStream>& stream) {
  WatchedSource source{reader, stream_failed_};
  const StoredObject answer = storage_->put(path_, destination_.token, source);
  committed_ = true;
  if (!source.reached_end()) {
    throw Error(
        ErrorCode::Internal,
        storage_->library().label() + " reported a stored file without having read it to the end");
  }
  const StoredStream& stored = stream.get();
  context_.cancel.throw_if_cancelled();
  confirm(answer, stored);
  context_.cancel.throw_if_cancelled();
  sidecar_sent_ = stored.sidecar.size();
  storage_->put_text(sidecar_path(path_), destination_.token, stored.sidecar);
  sidecar_committed_ = true;
  const std::string text = "stored \"" + path_ + "\" at \"" + destination_.name + "\"";
  context_.events.log({.level = JournalLevel::Success, .type = JournalType::Storage, .message = text});
}

void DestinationRun::confirm(const StoredObject& put_answer, const StoredStream& stream) {
  const StoredObject found = require_object(*storage_, path_);
  if (found.size != stream.size) {
    throw Error(ErrorCode::DataLoss, "\"" + path_ + "\" has " + std::to_string(found.size) +
                                         " bytes at the destination instead of " +
                                         std::to_string(stream.size));
  }
  confirmed_ = "size";
  for (const std::string& sum : {put_answer.sha256, found.sha256}) {
    if (sum.empty()) continue;
    if (sum != stream.sha256) {
      throw Error(ErrorCode::DataLoss,
                  "the destination computed another checksum for \"" + path_ + "\"");
    }
    confirmed_ = "sha256";
  }
  if (confirm_mode_ != "read" || confirmed_ == "sha256") return;
  HashStage check{std::make_unique<NullSink>(), std::make_shared<StreamTally>(), stream.sha256};
  pull_whole(*storage_, found, check);
  confirmed_ = "sha256";
}

template <class Step>
void DestinationRun::attempt(const char* what, Step&& step) noexcept {
  try {
    step();
  } catch (...) {
    const Cause cause = current_cause();
    try {
      context_.warning(
          "destination \"" + destination_.name + "\": cannot " + what + ": " + cause->what(),
          JournalType::Storage, cause->detail());
    } catch (...) {  // nobody can be told
    }
  }
}

void DestinationRun::remove_ours(const std::string& path, bool committed,
                                 std::optional<uint64_t> sent) {
  // A file that appeared here without our commit belongs to somebody else.
  if (!committed) {
    if (!sent || !failure_ || failure_->code() == ErrorCode::AlreadyExists) return;
    const auto found = storage_->stat(path);
    if (!found || found->size != *sent) return;
  }
  storage_->remove(path);
}

void DestinationRun::tidy_up(std::optional<uint64_t> sent) noexcept {
  if (!storage_) return;
  storage_->ignore_cancellation();
  // The metadata first: a file without it is found by the next reconciliation, the reverse is not.
  attempt("remove the metadata", [&] {
    if (sidecar_committed_ || sidecar_sent_) {
      remove_ours(sidecar_path(path_), sidecar_committed_, sidecar_sent_);
    }
  });
  attempt("remove the incomplete backup", [&] { remove_ours(path_, committed_, sent); });
  attempt("remove what was left", [&] { storage_->cleanup(destination_.token); });
}

void DestinationRun::undo() noexcept {
  if (!failed()) tidy_up(std::nullopt);
}

protocol::BackupDestinationResult DestinationRun::result() const {
  protocol::BackupDestinationResult result{
      .id = destination_.id, .path = path_, .success = !failed(), .confirmed = confirmed_};
  if (failed()) {
    result.error_code = static_cast<int32_t>(failure_->code());
    result.error = failure_->what();
    result.detail = failure_->detail();
  }
  return result;
}

}  // namespace dbackup::host
