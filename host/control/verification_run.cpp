#include "base/error.hpp"
#include "control/catalog.hpp"
#include "control/execution_recorder.hpp"
#include "control/run.hpp"
#include "control/run_options.hpp"

namespace dbackup::host {
namespace {

/// Nothing to compare with is no failure of the backup; bytes that differ or cannot be read are.
ExecutionEnd end_of(const Catalog::Verification& outcome, ExecutionRecorder& recorder) {
  ExecutionEnd end{.status = "Success"};
  if (outcome.status == "passed") {
    recorder.log("success", "storage", "the backup is as it was written");
  } else if (outcome.status == "failed") {
    end.status = "Failed";
    end.error = !outcome.error.empty()
                    ? "the backup cannot be trusted: " + outcome.error
                    : "the backup differs from what was written: SHA-256 is " + outcome.actual +
                          ", expected " + outcome.expected;
  } else if (outcome.status == "download_error") {
    end.status = "Failed";
    end.error = "the backup cannot be read: " + outcome.error;
  } else {
    recorder.warning("there is nothing to compare the backup with (" + outcome.status + ")");
  }
  if (!end.error.empty()) recorder.error(end.error);
  end.metadata = {{"status", outcome.status}};
  if (!outcome.expected.empty()) end.metadata["expectedChecksum"] = outcome.expected;
  if (!outcome.actual.empty()) end.metadata["actualChecksum"] = outcome.actual;
  return end;
}

}  // namespace

void run_verification(const RunParts& parts, const Execution& execution, const RunStop& stop) {
  ExecutionRecorder recorder{parts.recorders, execution.id, execution.type};
  ExecutionEnd end;
  VerificationOptions options;
  try {
    options = verification_options(execution.options);
    recorder.stage("Verifying");
    const auto progress = [&](int64_t done, int64_t total) { recorder.progress(done, total); };
    end = end_of(parts.catalog.verify(options.destination_id, options.path,
                                      {.trigger = options.trigger,
                                       .is_run = true,
                                       .stop = stop.token,
                                       .on_progress = progress}),
                 recorder);
  } catch (const Error& error) {
    end = end_of_failure(error, stop, "");
    recorder.error(end.error, error.detail());
  } catch (const std::exception& error) {
    end = end_of_failure(Error(ErrorCode::Internal, "the verification failed unexpectedly"), stop, "");
    recorder.error(end.error, error.what());
  }
  recorder.flush();
  end.path = execution.path.empty() ? options.path : execution.path;
  end.ended_at = parts.context.clock.now_ms();
  end_run(parts, execution, end);
}

}  // namespace dbackup::host
