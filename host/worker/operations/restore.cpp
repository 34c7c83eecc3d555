#include <functional>
#include <thread>

#include "model/backup_name.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/quiet_journal.hpp"
#include "worker/operations/stored_archive.hpp"
#include "worker/plugin/source_proxy.hpp"

namespace dbackup::host {
namespace {

/// A plugin may stop reading early, for example because its tool found the end by itself. What is
/// left must still be authentic: only then was the part that it took.
void read_rest(PipeReader& reader) {
  while (true) {
    const Bytes rest = reader.peek();
    if (rest.empty()) return;
    reader.consume(rest.size());
  }
}

/// Passes stored bytes on and reports how many there were, of all that the operation reads.
class DownloadSink final : public ByteSink {
 public:
  DownloadSink(ByteSink& target, Journal& journal, uint64_t& done, uint64_t total)
      : target_{target}, journal_{journal}, done_{done}, total_{total} {}
  void write(Bytes bytes) override {
    target_.write(bytes);
    done_ += bytes.size();
    journal_.progress(done_, total_);
  }
  void finish() override { target_.finish(); }
  void abort(const Cause& cause) noexcept override { target_.abort(cause); }

 private:
  ByteSink& target_;
  Journal& journal_;
  uint64_t& done_;
  uint64_t total_;
};

/// Writes the stored bytes of one dump into the sink and finishes it.
using Download = std::function<void(ByteSink&)>;

/// One dump from the storage into the target; its size.
uint64_t restore_dump(SourceProxy& source, const SourceProxy::RestoreOrder& order,
                      const StoredFormat& format, const Download& fetch,
                      OperationContext& context) {
  RestorePipeline pipeline{format, context.cancel};
  Cause download_failure, restore_failure;
  std::thread download{[&]() noexcept {
    try {
      fetch(pipeline.input());
    } catch (...) {
      download_failure = current_cause();
      pipeline.input().abort(download_failure);
    }
  }};
  try {
    PipeSource in{pipeline.output()};
    source.restore(order, in);
    read_rest(pipeline.output());
  } catch (...) {
    restore_failure = current_cause();
    pipeline.output().fail(restore_failure);
    pipeline.input().abort(restore_failure);
  }
  download.join();
  context.cancel.throw_if_cancelled();
  // When the source failed first the download failed because of it, and the other way round the
  // reader threw the download's cause.
  if (restore_failure) throw_cause(restore_failure);
  if (download_failure) throw_cause(download_failure);
  return pipeline.plain_size();
}

SourceProxy::RestoreOrder order_of(const protocol::RestoreRequest& request,
                                   const std::string& database, const std::string& original_name) {
  return {.database = database,
          .original_name = original_name,
          .token = request.token,
          .privileged = request.privileged,
          .options = request.source_options};
}

/// What the request wants of an archive; by default all of it.
std::vector<protocol::DatabaseMapping> selection_of(const protocol::RestoreRequest& request,
                                                    const ArchiveReader& archive) {
  if (!request.databases.empty()) return request.databases;
  if (!request.original_name.empty()) {
    return {{.original_name = request.original_name, .target_name = request.database}};
  }
  std::vector<protocol::DatabaseMapping> all;
  for (const ArchiveEntry& entry : archive.entries()) all.push_back({entry.name, entry.name});
  return all;
}

Json restore_archive(const protocol::RestoreRequest& request, StorageProxy& storage,
                     const StoredObject& object, const StoredFormat& format,
                     OperationContext& context) {
  const StoredArchive stored{request.file, storage, object, format};
  const ArchiveReader& archive = stored.reader();
  const auto selection = selection_of(request, archive);
  uint64_t total = 0;  // every name is looked up before anything is written
  for (const auto& wanted : selection) total += archive.entry(wanted.original_name).compressed_size;

  QuietJournal quiet{context.events};
  uint64_t done = 0, plain = 0;
  std::string restored;
  for (const auto& wanted : selection) {
    const ArchiveEntry& entry = archive.entry(wanted.original_name);
    const std::string& target = wanted.target_name.empty() ? entry.name : wanted.target_name;
    try {
      SourceProxy source{request.source, quiet, context.cancel};
      plain += restore_dump(
          source, order_of(request, target, entry.name), {.compression = entry.compression},
          [&](ByteSink& sink) {
            DownloadSink counted{sink, context.events, done, total};
            archive.read(entry, counted);
          },
          context);
    } catch (const Error& error) {
      throw Error(error.code(),
                  "database \"" + entry.name + "\": " + error.what() +
                      (restored.empty() ? "" : " (restored before it: " + restored + ")"),
                  error.detail(), error.reason());
    }
    restored += (restored.empty() ? "\"" : ", \"") + target + "\"";
    context.events.log(
        {.level = JournalLevel::Success,
         .message = "database \"" + entry.name + "\" was restored into \"" + target + "\""});
  }
  return {{"size", object.size}, {"plainSize", plain}};
}

}  // namespace

Json restore(const protocol::RestoreRequest& request, OperationContext& context) {
  context.stage("Initializing");
  QuietJournal quiet{context.events};
  StorageProxy storage{request.file.storage, quiet, context.cancel};
  const StoredObject object = require_object(storage, request.file.path);
  const StoredFormat format = stored_format(request.file, storage);
  if (format.sealed && format.identities.empty()) {
    throw Error(ErrorCode::FailedPrecondition,
                "\"" + request.file.path + "\" is encrypted and no key for it is at hand", {},
                "encryption_key_required");
  }
  context.stage("Restoring Databases");
  if (is_archive_path(request.file.path)) {
    return restore_archive(request, storage, object, format, context);
  }
  SourceProxy source{request.source, quiet, context.cancel};
  uint64_t done = 0;
  const uint64_t plain = restore_dump(
      source, order_of(request, request.database, request.original_name), format,
      [&](ByteSink& sink) {
        DownloadSink counted{sink, context.events, done, object.size};
        pull_whole(storage, object, counted);
      },
      context);
  return {{"size", object.size}, {"plainSize", plain}};
}

}  // namespace dbackup::host
