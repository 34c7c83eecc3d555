#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>

#include "base/clock.hpp"
#include "base/encoding.hpp"
#include "model/backup_name.hpp"
#include "model/sidecar.hpp"
#include "protocol/message_json.hpp"
#include "worker/format/archive_writer.hpp"
#include "worker/format/backup_pipeline.hpp"
#include "worker/operations/backup_destination.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/quiet_journal.hpp"
#include "worker/plugin/source_proxy.hpp"

// The order of events is the promise of this file: end of file (the permission to commit) reaches
// the destinations only through finish(), and finish() is called only after dump() returned.

namespace dbackup::host {
namespace {

constexpr unsigned kMostNames = 1000;

/// Dump bytes on their way into the pipeline. Progress counts them, against the total that the
/// source announces.
class DumpSink final : public ByteSink, public Journal {
 public:
  /// `done`: bytes of the dump so far.
  DumpSink(ByteSink& target, Journal& journal, std::function<uint64_t()> done)
      : target_{target}, journal_{journal}, done_{std::move(done)} {}

  void write(Bytes bytes) override {
    target_.write(bytes);
    journal_.progress(done_(), total_);
  }
  void finish() override {}
  void abort(const Cause&) noexcept override {}

  void log(const LogLine& line) noexcept override { journal_.log(line); }
  void progress(uint64_t, uint64_t total) noexcept override { total_ = total; }
  void host_key(const AcceptedHostKey& key) noexcept override { journal_.host_key(key); }

 private:
  ByteSink& target_;
  Journal& journal_;
  std::function<uint64_t()> done_;
  std::atomic<uint64_t> total_{0};
};

bool is_archive(const protocol::BackupRequest& request) { return !request.databases.empty(); }

Compression compression_of(const protocol::BackupRequest& request) {
  const auto compression = compression_from(request.compression);
  if (!compression) {
    throw Error(ErrorCode::InvalidArgument, "unknown compression \"" + request.compression + "\"");
  }
  return *compression;
}

/// Of the whole file: the dumps in an archive are compressed one by one.
Compression file_compression(const protocol::BackupRequest& request) {
  return is_archive(request) ? Compression::None : compression_of(request);
}

/// The n-th name of this backup, the same at all destinations.
std::string path_of(const protocol::BackupRequest& request, unsigned n) {
  const std::string_view stem = base_name(request.path_stem);
  const std::string folder = request.path_stem.substr(0, request.path_stem.size() - stem.size());
  BackupName name{.stem = decode_path_component(stem).value_or(std::string{stem}),
                  .extension = is_archive(request) ? "tar" : request.extension,
                  .compression = file_compression(request),
                  .sealed = !request.recipients.empty()};
  return folder + name.file_name(n);
}

BackupPipelineOptions pipeline_options(const protocol::BackupRequest& request,
                                       size_t destinations) {
  BackupPipelineOptions options{.compression = file_compression(request),
                                .destinations = destinations};
  for (const std::string& text : request.recipients) {
    options.recipients.push_back(AgeRecipient::parse(text));
  }
  if (request.memory_bytes > 0) {
    constexpr int64_t kFixed = 24LL << 20;       // program, plugins, queues
    constexpr int64_t kEachThread = 10LL << 20;  // of zstd, the largest
    const int64_t affordable = std::max<int64_t>(1, (request.memory_bytes - kFixed) / kEachThread);
    options.limits.threads =
        static_cast<unsigned>(std::min<int64_t>(affordable, compress_threads(options.limits)));
  }
  return options;
}

/// Takes the first name that is free at every destination and that the host accepts. Empty when no
/// destination is left that could say so.
std::string reserve_path(const protocol::BackupRequest& request, std::deque<DestinationRun>& runs,
                         OperationContext& context) {
  for (unsigned n = 1; n <= kMostNames; ++n) {
    const std::string path = path_of(request, n);
    bool taken = false, anyone = false;
    for (DestinationRun& run : runs) {
      context.cancel.throw_if_cancelled();
      if (run.failed()) continue;
      taken = run.is_taken(path) || taken;
      anyone = anyone || !run.failed();
    }
    if (!anyone) return {};
    if (taken) continue;
    context.events.emit(protocol::EventKind::Reserve, {{"path", path}});
    if (context.await_proceed()) return path;
  }
  throw Error(ErrorCode::AlreadyExists,
              "all names from \"" + path_of(request, 1) + "\" on are taken at the destinations");
}

std::string sidecar_text(const protocol::BackupRequest& request,
                         const protocol::BackupResult& result,
                         const std::string& index_sha256) {
  Sidecar sidecar = parse_sidecar(dump_json(request.sidecar));
  sidecar.execution_id = request.execution_id;
  sidecar.compression = file_compression(request);
  sidecar.checksum = result.sha256;
  sidecar.index_checksum = index_sha256;
  sidecar.size = static_cast<int64_t>(result.size);
  sidecar.plain_size = static_cast<int64_t>(result.plain_size);
  sidecar.original_file_name = std::string{base_name(result.path)};
  if (!result.engine_version.empty()) sidecar.engine_version = result.engine_version;
  if (sidecar.timestamp.empty()) sidecar.timestamp = format_iso8601(SystemClock{}.now_ms());
  if (request.confirm == "read") {
    // A destination gets this text only after the backup was read back there and had this hash.
    sidecar.verification =
        SidecarVerification{.verified_at = format_iso8601(SystemClock{}.now_ms()),
                            .passed = true,
                            .trigger = "post-upload"};
  }
  if (request.mac_key.empty()) return render_sidecar(sidecar);
  const auto key = from_hex(request.mac_key);
  if (!key) throw Error(ErrorCode::InvalidArgument, "the key of the sidecar is not hexadecimal");
  return render_signed_sidecar(sidecar, *key);
}

/// One dump into `target`, which is not finished; the engine's version.
std::string dump_into(ByteSink& target, const std::string& database,
                      const protocol::BackupRequest& request, OperationContext& context,
                      const std::function<uint64_t()>& done) {
  DumpSink sink{target, context.events, done};
  SourceProxy source{request.source, sink, context.cancel};
  const DumpAnswer answer =
      source.dump({.database = database,
                   .compressed_by_host = compression_of(request) != Compression::None,
                   .options = request.source_options},
                  sink);
  context.cancel.throw_if_cancelled();
  return answer.engine_version;
}

/// The dumps one after another; their size before compression.
uint64_t dump_archive(const protocol::BackupRequest& request, BackupPipeline& pipeline,
                      const CompressLimits& limits, OperationContext& context,
                      protocol::BackupResult& result, std::string& index_sha256) {
  {
    // The manifest comes first and names the version.
    QuietJournal quiet{context.events};
    SourceProxy source{request.source, quiet, context.cancel};
    result.engine_version = get_string(source.test(), "version").value_or("");
  }
  ArchiveWriter archive{pipeline.input(),
                        {.created_at = SystemClock{}.now_ms(),
                         .source_type = request.source.adapter_id,
                         .engine_version = result.engine_version,
                         .extension = request.extension,
                         .compression = compression_of(request),
                         .databases = request.databases}};
  size_t number = 0;
  for (const std::string& database : request.databases) {
    context.events.log({.level = JournalLevel::Info,
                        .message = "database " + std::to_string(++number) + " of " +
                                   std::to_string(request.databases.size()) + ": \"" + database +
                                   "\""});
    const auto chain = archive.begin(database, limits, context.cancel);
    try {
      dump_into(*chain, database, request, context, [&] { return archive.plain_size(); });
    } catch (const Error& error) {
      throw Error(error.code(), "database \"" + database + "\": " + error.what(), error.detail(),
                  error.reason());
    }
    chain->finish();
  }
  index_sha256 = archive.finish();
  return archive.plain_size();
}

/// Dumps through `pipeline` and ends it, well or not; returns why not.
Cause stream_dump(const protocol::BackupRequest& request, BackupPipeline& pipeline,
                  const CompressLimits& limits, OperationContext& context,
                  protocol::BackupResult& result, std::string& index_sha256) {
  try {
    context.stage("Dumping Databases");
    if (is_archive(request)) {
      result.plain_size = dump_archive(request, pipeline, limits, context, result, index_sha256);
    } else {
      result.engine_version = dump_into(pipeline.input(), request.database, request, context,
                                        [&] { return pipeline.plain_size(); });
    }
    context.stage("Uploading");
    pipeline.input().finish();
    return nullptr;
  } catch (...) {
    const Cause failure = current_cause();
    pipeline.input().abort(failure);
    // When the stream ended first, the plugin's error is only the echo.
    const Cause first = pipeline.input().cause();
    return first ? first : failure;
  }
}

bool all_failed_by_themselves(const std::deque<DestinationRun>& runs) {
  return std::all_of(runs.begin(), runs.end(),
                     [](const DestinationRun& run) { return run.failed_by_itself(); });
}

Json to_result(protocol::BackupResult& result, const std::deque<DestinationRun>& runs) {
  for (const DestinationRun& run : runs) result.destinations.push_back(run.result());
  return result;
}

}  // namespace

Json backup(const protocol::BackupRequest& request, OperationContext& context) {
  context.stage("Initializing");
  if (request.destinations.empty()) {
    throw Error(ErrorCode::InvalidArgument, "a backup needs at least one destination");
  }
  // A source that cannot even be opened must not cost a name at the destinations.
  { SourceProxy probe{request.source, context.events, context.cancel}; }

  std::deque<DestinationRun> runs;  // no element ever moves: threads point to them
  for (const protocol::BackupDestination& destination : request.destinations) {
    runs.emplace_back(destination, request.confirm, context);
  }
  protocol::BackupResult result;
  result.path = reserve_path(request, runs, context);
  if (result.path.empty()) {
    context.cancel.throw_if_cancelled();
    return to_result(result, runs);
  }

  const auto living = static_cast<size_t>(
      std::count_if(runs.begin(), runs.end(), [](const auto& run) { return !run.failed(); }));
  const BackupPipelineOptions options = pipeline_options(request, living);
  BackupPipeline pipeline{options, context.cancel};
  std::promise<StoredStream> stream;
  const std::shared_future<StoredStream> shared_stream = stream.get_future().share();
  size_t next = 0;
  for (DestinationRun& run : runs) {
    if (!run.failed()) run.start(result.path, pipeline.destination(next++), shared_stream);
  }

  std::string index_sha256;  // of an archive
  Cause failure = stream_dump(request, pipeline, options.limits, context, result, index_sha256);
  if (!failure) {
    try {
      result.size = pipeline.stored_size();
      if (!is_archive(request)) result.plain_size = pipeline.plain_size();
      result.sha256 = pipeline.stored_sha256();
      const std::string text = sidecar_text(request, result, index_sha256);
      result.sidecar = parse_json(text, "sidecar");
      context.stage("Verifying");
      stream.set_value({result.size, result.sha256, text});
    } catch (...) {
      failure = current_cause();
    }
  }
  if (failure) stream.set_exception(std::make_exception_ptr(Error(*failure)));
  for (DestinationRun& run : runs) run.join();

  if (context.cancel.is_cancelled()) {
    for (DestinationRun& run : runs) run.undo();
    context.cancel.throw_if_cancelled();
  }
  if (failure && !all_failed_by_themselves(runs)) throw_cause(failure);
  return to_result(result, runs);
}

}  // namespace dbackup::host
