#pragma once

/// All checks of one adapter:
///
///   for (const auto& finding : dbackup::testing::check_adapter(adapter, {.config = {{"path",
///   "/x"}}})) …
///
/// No findings: the adapter does what the SDK promises, as far as the options let it be tried. A
/// crash or a hang of the adapter is one of the process: run the checks of strangers' code in a
/// child process.

#include <dbackup/testing/check_descriptor.hpp>
#include <dbackup/testing/check_source.hpp>
#include <dbackup/testing/check_storage.hpp>

namespace dbackup::testing {
namespace detail {

template <class Table, class Checks>
void check_instance(const dbackup_adapter& adapter, const Table& table, Report& report,
                    const Checks& checks) {
  check_refused_configs(adapter, table, report);
  if (report.options().config.is_null()) return;
  Outcome outcome;
  const auto instance =
      Instance<Table>::open(table, with_defaults(adapter, report.options().config), outcome);
  if (report.expect_ok(outcome, "open", "open() with the given configuration")) checks(instance);
}

/// Whatever is tried against a server that refuses connections ends with Unavailable.
template <class Table, class Try>
void check_unreachable(const dbackup_adapter& adapter, const Table& table, Report& report,
                       const std::string& what, const Try& attempt) {
  if (report.options().unreachable_config.is_null()) return;
  Outcome outcome;
  const auto instance = Instance<Table>::open(
      table, with_defaults(adapter, report.options().unreachable_config), outcome);
  if (outcome.ok()) {
    const auto call = report.call();
    outcome = attempt(instance, *call);
  }
  report.expect_code(outcome, DBACKUP_UNAVAILABLE, "unreachable",
                     what + " of a target that refuses connections");
}

inline Json sample_event() {
  return {{"eventType", "backup_failure"},
          {"title", "Backup Failed: Nightly \"full\""},
          {"message", "disk full\nsecond line"},
          {"success", false},
          {"color", "#ef4444"},
          {"timestamp", "2026-08-09T02:00:05.000Z"},
          {"fields",
           Json::array({{{"name", "Job"}, {"value", "Nightly"}, {"inline", true}},
                        {{"name", "Error"}, {"value", "größer: \\ \" '"}, {"inline", false}}})}};
}

inline void check_notifier(const dbackup_adapter& adapter, const dbackup_notifier& table,
                           Report& report) {
  check_instance(adapter, table, report, [&](const NotifierInstance& notifier) {
    const auto call = report.call();
    const Outcome tested = notifier.test(*call);
    report.expect_ok(tested, "notifier.test", "test");
    report.expect(!tested.result.value("message", "").empty(), "notifier.test",
                  "test gave no message");
    const auto sending = report.call();
    report.expect_ok(notifier.run(table.send, *sending, sample_event()), "notifier.send", "send");
    const auto bare = report.call();
    report.expect_ok(notifier.run(table.send, *bare, {{"title", "T"}, {"message", "M"}}),
                     "notifier.send", "send of an event with title and message alone");
    const auto cancelled = report.call();
    cancelled->cancel();
    report.expect_code(notifier.run(table.send, *cancelled, sample_event()), DBACKUP_CANCELLED,
                       "notifier.cancelled", "a cancelled send");
  });
  check_unreachable(adapter, table, report, "send",
                    [&](const NotifierInstance& notifier, FakeCall& call) {
                      return notifier.run(table.send, call, sample_event());
                    });
}

inline void check_by_kind(const dbackup_adapter& adapter, Report& report) {
  if (!check_descriptor(adapter, report)) return;
  const Json capabilities = descriptor_of(adapter).value("capabilities", Json::object());
  if (adapter.kind == DBACKUP_KIND_SOURCE) {
    const auto& table = *table_of<dbackup_source>(adapter, DBACKUP_EXT_SOURCE);
    check_instance(adapter, table, report, [&](const SourceInstance& source) {
      SourceChecks{source, capabilities, report}.run();
    });
    check_unreachable(
        adapter, table, report, "test",
        [](const SourceInstance& source, FakeCall& call) { return source.test(call); });
  } else if (adapter.kind == DBACKUP_KIND_STORAGE) {
    const auto& table = *table_of<dbackup_storage>(adapter, DBACKUP_EXT_STORAGE);
    check_instance(adapter, table, report, [&](const StorageInstance& storage) {
      StorageChecks{storage, capabilities, report}.run();
    });
    check_unreachable(
        adapter, table, report, "test",
        [](const StorageInstance& storage, FakeCall& call) { return storage.test(call); });
  } else {
    check_notifier(adapter, *table_of<dbackup_notifier>(adapter, DBACKUP_EXT_NOTIFIER), report);
  }
}

}  // namespace detail

/// Runs every check that `options` allow and returns what was found, in the order it was found.
inline std::vector<Finding> check_adapter(const dbackup_adapter& adapter,
                                          const CheckOptions& options) {
  Report report{options};
  try {
    detail::check_by_kind(adapter, report);
  } catch (const Json::exception& error) {
    report.add("descriptor",
               std::string{"a member of the descriptor or of a result has another type "
                           "than the SDK says: "} +
                   error.what());
  }
  return report.take();
}

}  // namespace dbackup::testing
