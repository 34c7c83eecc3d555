#pragma once

#include <chrono>
#include <dbackup/testing/adapter.hpp>
#include <dbackup/testing/local_services.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace dbackup::testing {

/// Something an adapter does not do as the SDK promises. `sentence` names what was done and what
/// came.
struct Finding {
  std::string check;  ///< which check, for example "storage.no-replace"
  std::string sentence;
};

/// What the checks may use. Whatever is left out skips the checks that need it.
struct CheckOptions {
  /// A working configuration. Null: only what can be said without a target is checked.
  Json config = nullptr;
  /// A configuration whose server refuses connections: every use must end with Unavailable.
  Json unreachable_config = nullptr;
  /// Prepares each call; by default programs and connections of this machine are offered.
  std::function<void(FakeCall&)> prepare_call = [](FakeCall& call) { offer_local_services(call); };
  /// How soon an operation must end once it is told to.
  std::chrono::milliseconds prompt{2000};

  /// Storage: all objects are made below this folder and removed again.
  std::string folder = "dbackup-conformance";

  /// Source: a database that exists, to be dumped. It should dump to more than 1 MiB.
  std::string database;
  /// Source: a name that may be restored into, overwritten and left behind. Empty: nothing is
  /// restored.
  std::string restore_database;
  /// Source: anything that changes when the content of a database changes.
  std::function<std::string(const std::string& database)> fingerprint;
  /// Source: every sequence of bytes is a dump, so a restore of garbage may succeed.
  bool any_bytes_are_a_dump = false;
  /// Source: options of a job, as dump and restore get them.
  Json job_options = Json::object();
};

/// Collects findings; every check of an adapter reports here.
class Report {
 public:
  explicit Report(const CheckOptions& options) : options_{options} {}

  const CheckOptions& options() const noexcept { return options_; }
  void add(const std::string& check, const std::string& sentence) {
    findings_.push_back({check, sentence});
  }
  /// Adds `sentence` unless `holds`; returns `holds`.
  bool expect(bool holds, const std::string& check, const std::string& sentence) {
    if (!holds) add(check, sentence);
    return holds;
  }
  /// Adds the outcome's breaches; returns whether there were none.
  bool expect_clean(const Outcome& outcome, const std::string& check, const std::string& what) {
    for (const auto& breach : outcome.breaches) add(check, what + ": " + breach);
    return outcome.breaches.empty();
  }
  bool expect_ok(const Outcome& outcome, const std::string& check, const std::string& what) {
    expect_clean(outcome, check, what);
    return expect(outcome.ok(), check, what + " should succeed, but gave " + outcome.text());
  }
  bool expect_code(const Outcome& outcome, dbackup_status wanted, const std::string& check,
                   const std::string& what) {
    expect_clean(outcome, check, what);
    return expect(
        outcome.status == wanted, check,
        what + " should give code " + std::to_string(wanted) + ", but gave " + outcome.text());
  }
  bool expect_failure(const Outcome& outcome, const std::string& check, const std::string& what) {
    expect_clean(outcome, check, what);
    return expect(!outcome.ok(), check, what + " should fail, but succeeded");
  }
  /// A call with the services of `prepare_call`.
  std::unique_ptr<FakeCall> call() const {
    auto out = std::make_unique<FakeCall>();
    if (options_.prepare_call) options_.prepare_call(*out);
    return out;
  }
  /// How many findings of `check` there are.
  size_t count(const std::string& check) const {
    size_t n = 0;
    for (const Finding& finding : findings_) n += finding.check == check ? 1u : 0u;
    return n;
  }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  const CheckOptions& options_;
  std::vector<Finding> findings_;
};

}  // namespace dbackup::testing
