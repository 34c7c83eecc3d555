#include <thread>

#include "worker/operations/operations.hpp"
#include "worker/operations/quiet_journal.hpp"
#include "worker/operations/stored_file.hpp"
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

/// Reports stored bytes read so far.
class DownloadSink final : public ByteSink {
 public:
  DownloadSink(RestorePipeline& pipeline, Journal& journal, uint64_t total)
      : pipeline_{pipeline}, journal_{journal}, total_{total} {}
  void write(Bytes bytes) override {
    pipeline_.input().write(bytes);
    done_ += bytes.size();
    journal_.progress(done_, total_);
  }
  void finish() override { pipeline_.input().finish(); }
  void abort(const Cause& cause) noexcept override { pipeline_.input().abort(cause); }

 private:
  RestorePipeline& pipeline_;
  Journal& journal_;
  uint64_t total_;
  uint64_t done_ = 0;
};

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
  SourceProxy source{request.source, quiet, context.cancel};

  context.stage("Restoring Databases");
  RestorePipeline pipeline{format, context.cancel};
  Cause download_failure, restore_failure;
  std::thread download{[&]() noexcept {
    try {
      DownloadSink sink{pipeline, context.events, object.size};
      pull_whole(storage, object, sink);
    } catch (...) {
      download_failure = current_cause();
      pipeline.input().abort(download_failure);
    }
  }};
  try {
    PipeSource in{pipeline.output()};
    source.restore({.database = request.database,
                    .original_name = request.original_name,
                    .token = request.token,
                    .privileged = request.privileged,
                    .options = request.source_options},
                   in);
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
  return {{"size", object.size}, {"plainSize", pipeline.plain_size()}};
}

}  // namespace dbackup::host
