#include "control/run.hpp"

#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/logging.hpp"

namespace dbackup::host {
namespace {

constexpr int kTries = 10;
constexpr std::chrono::seconds kPause{1};

}  // namespace

void end_run(const RunParts& parts, const Execution& execution, const ExecutionEnd& end,
             const std::function<void(Session&)>& together) {
  for (int attempt = 1;; ++attempt) {
    try {
      parts.context.database.write([&](Session& s) {
        if (!ExecutionStore{}.end(s, execution.id, parts.context.host_id, end)) {
          // Somebody forced its end meanwhile: what it stored is looked after by reconcile.
          log_warning("run " + execution.id + " had already been ended");
          return;
        }
        if (together) together(s);
      });
      parts.context.news->tell(execution.id, RunNews::What::Status);
      const std::string what = execution.type + " " + execution.id + " ended " + end.status;
      if (end.status == "Success") {
        log_info(what);
      } else {
        log_warning(what + ": " + end.error);
      }
      return;
    } catch (const Error& error) {
      // A full disk or a database that is away for a moment must not turn a backup into a lost row.
      if (attempt == kTries) throw;
      log_warning("the end of run " + execution.id + " cannot be written yet: " + error.what());
      std::this_thread::sleep_for(kPause);
    }
  }
}

ExecutionEnd end_of_failure(const Error& error, const RunStop& stop, const std::string& path) {
  ExecutionEnd end{.status = "Failed", .error = error.what(), .path = path};
  if (stop.token.stop_requested()) {
    end.status = stop.status ? stop.status() : "Cancelled";
    end.error = stop.reason ? stop.reason() : "cancelled";
  }
  return end;
}

}  // namespace dbackup::host
