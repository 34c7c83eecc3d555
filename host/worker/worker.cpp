#include "worker/worker.hpp"

#include <atomic>

#include "base/error.hpp"
#include "worker/operations/operation_context.hpp"
#include "worker/output_capture.hpp"
#include "worker/process_setup.hpp"
#include "worker/request_reader.hpp"

namespace dbackup::host {
namespace {

constexpr int kSucceeded = 0;
constexpr int kFailed = 1;
constexpr int kNotUnderstood = 2;

Json error_json(const Error& error) {
  Json out{{"code", static_cast<int32_t>(error.code())}, {"message", error.what()}};
  if (!error.reason().empty()) out["reason"] = error.reason();
  if (!error.detail().empty()) out["detail"] = error.detail();
  return out;
}

/// Runs one request and writes its "result" or "error". True when it succeeded.
bool serve(const RequestReader::Order& order, RequestReader& requests, EventWriter& events,
           OutputCapture& output, int bulk_fd) {
  events.begin(order.request.id);
  OperationContext context{
      .events = events, .cancel = order.cancel, .bulk_fd = bulk_fd, .await_proceed = [&] {
        return requests.await_proceed(order.cancel);
      }};
  Cause failure;
  Json result;
  try {
    order.cancel.throw_if_cancelled();
    result = run_operation(order.request, context);
  } catch (...) {
    failure = current_cause();
  }
  output.flush();
  if (!failure) {
    try {
      events.emit(protocol::EventKind::Result, std::move(result));
      return true;
    } catch (...) {
      failure = current_cause();
    }
  }
  events.emit(protocol::EventKind::Error, error_json(*failure));
  return false;
}

}  // namespace

int run_worker(const WorkerRunOptions& options) {
  limit_process(options);
  WorkerDescriptors descriptors = take_descriptors(options);
  RequestReader requests{std::move(descriptors.requests)};
  std::atomic<bool> broken = false;
  EventWriter events{descriptors.events.get(), [&] {
                       broken = true;
                       requests.cancel_all(Error(ErrorCode::Cancelled, "nobody reads the events"));
                     }};
  events.write_line(protocol::greeting(options.program_version));
  OutputCapture output{events};
  int status = kSucceeded;
  try {
    while (const auto order = requests.next()) {
      if (!serve(*order, requests, events, output, descriptors.bulk.get())) status = kFailed;
    }
  } catch (const Error& error) {
    events.begin("");
    events.emit(protocol::EventKind::Error, error_json(error));
    return kNotUnderstood;
  }
  return broken ? kNotUnderstood : status;
}

}  // namespace dbackup::host
