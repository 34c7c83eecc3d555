#include "worker/operations/fd_sink.hpp"
#include "worker/operations/operations.hpp"
#include "worker/operations/stored_file.hpp"

namespace dbackup::host {
namespace {

struct Range {
  uint64_t offset = 0, length = 0;
};

Range range_of(const protocol::FetchRequest& request, uint64_t total) {
  if (request.offset < 0 || static_cast<uint64_t>(request.offset) > total) {
    throw Error(ErrorCode::InvalidArgument,
                "the file has " + std::to_string(total) + " bytes; the range begins at " +
                    std::to_string(request.offset),
                {}, "range");
  }
  const auto offset = static_cast<uint64_t>(request.offset);
  const uint64_t left = total - offset;
  return {offset,
          request.length < 0 ? left : std::min(left, static_cast<uint64_t>(request.length))};
}

void emit_start(const OperationContext& context, uint64_t total, const Range& range) {
  context.events.emit(protocol::EventKind::Start,
                      {{"total", total}, {"offset", range.offset}, {"length", range.length}});
}

}  // namespace

Json fetch(const protocol::FetchRequest& request, OperationContext& context) {
  if (context.bulk_fd < 0) {
    throw Error(ErrorCode::FailedPrecondition, "the worker was started without --bulk-fd");
  }
  StorageProxy storage{request.file.storage, context.events, context.cancel};
  const StoredObject object = require_object(storage, request.file.path);
  const FetchRange read_stored = ranges_of(storage, object);

  if (request.unseal && is_sealed(storage, object.path)) {
    SealedFile sealed{parse_identities(request.file.identities), object.size, read_stored};
    const Range range = range_of(request, sealed.plain_size());
    emit_start(context, sealed.plain_size(), range);
    FdSink out{context.bulk_fd, context.cancel};
    sealed.read(range.offset, range.length, out);
  } else {
    const Range range = range_of(request, object.size);
    emit_start(context, object.size, range);
    FdSink out{context.bulk_fd, context.cancel};
    read_stored(range.offset, range.length, out);
  }
  return Json::object();
}

}  // namespace dbackup::host
