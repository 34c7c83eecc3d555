#pragma once

#include <future>
#include <optional>
#include <string>
#include <thread>

#include "worker/operations/operation_context.hpp"
#include "worker/operations/quiet_journal.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// What the stream came to, once it is complete.
struct StoredStream {
  uint64_t size = 0;
  std::string sha256;
  std::string sidecar;  ///< text of the sidecar
};

/// One destination of one backup. Its failure is its own: it is kept, and the others go on.
class DestinationRun {
 public:
  /// Opens the adapter; a failure is kept.
  DestinationRun(const protocol::BackupDestination& destination, std::string confirm,
                 OperationContext& context);
  ~DestinationRun();

  bool failed() const noexcept { return failure_ != nullptr; }
  /// The failure began here and not in the stream.
  bool failed_by_itself() const noexcept { return failed() && !stream_failed_; }
  const Cause& failure() const noexcept { return failure_; }

  /// Whether the file or its sidecar exists. False when that cannot be said; the failure is kept.
  bool is_taken(const std::string& path);

  /// On a thread of its own: put → confirm → sidecar. `stream` is ready when the source is done; it
  /// throws when the source failed. After any failure nothing of this run stays at the destination.
  void start(const std::string& path, PipeReader& reader, std::shared_future<StoredStream> stream);
  void join();

  /// Removes what a finished run stored: the backup was cancelled at the last moment.
  void undo() noexcept;

  protocol::BackupDestinationResult result() const;

 private:
  void run(PipeReader& reader, const std::shared_future<StoredStream>& stream);
  void confirm(const StoredObject& put_answer, const StoredStream& stream);
  /// `sent`: the size of the stream when all of it was handed to the destination.
  void tidy_up(std::optional<uint64_t> sent) noexcept;
  /// Removes `path` if it is ours: committed, or put without an answer and exactly what was sent.
  void remove_ours(const std::string& path, bool committed, std::optional<uint64_t> sent);
  void note_failure() noexcept;
  /// Runs one step of tidying up; a failure of it is only logged.
  template <class Step>
  void attempt(const char* what, Step&& step) noexcept;

  const protocol::BackupDestination& destination_;
  std::string confirm_mode_;
  OperationContext& context_;
  QuietJournal journal_;
  std::optional<StorageProxy> storage_;
  std::string path_;
  bool committed_ = false;
  bool sidecar_committed_ = false;
  std::optional<uint64_t> sidecar_sent_;  // its size, once its put has begun
  bool stream_failed_ = false;
  std::string confirmed_;
  Cause failure_;
  std::thread thread_;
};

}  // namespace dbackup::host
