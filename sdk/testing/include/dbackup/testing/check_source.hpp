#pragma once

#include <array>
#include <chrono>
#include <dbackup/testing/check_descriptor.hpp>
#include <dbackup/testing/findings.hpp>
#include <set>

namespace dbackup::testing {

/// Everything a source adapter promises, against the server or file of `options().config`.
class SourceChecks {
 public:
  SourceChecks(const SourceInstance& source, const Json& capabilities, Report& report)
      : source_{source},
        capabilities_{capabilities},
        report_{report},
        database_{report.options().database},
        target_{report.options().restore_database} {}

  void run() {
    const auto call = report_.call();
    const Outcome outcome = source_.test(*call);
    report_.expect_ok(outcome, "source.test", "test");
    report_.expect(!outcome.result.value("message", "").empty(), "source.test",
                   "test gave no message");
    if (DBACKUP_HAS(dbackup_source, &source_.table(), list_databases)) lists();
    const bool is_whole = capabilities_.value("wholeInstance", false);
    if (!is_whole) dump_of_unknown_database();
    if (database_.empty()) return;
    if (DBACKUP_HAS(dbackup_source, &source_.table(), tables)) tables();
    if (!dumps()) return;
    failing_writer_ends_dump();
    cancel_ends_dump();
    cancel_before_dump();
    if (target_.empty()) return;
    if (!restores()) return;
    cut_restore();
    cancelled_restore();
    cleanup_after_nothing();
  }

 private:
  using Clock = std::chrono::steady_clock;

  Json dump_request(const std::string& database) const {
    return {{"database", database},
            {"compressedByHost", true},
            {"options", report_.options().job_options}};
  }
  Outcome dump(const std::string& database, MemoryWriter& out, FakeCall& call) {
    return source_.run(source_.table().dump, call, dump_request(database), out);
  }
  Outcome restore(MemoryReader& in, FakeCall& call) {
    return source_.run(source_.table().restore, call,
                       {{"database", target_},
                        {"originalName", database_},
                        {"token", "00000000-0000-4000-8000-000000000001"},
                        {"options", report_.options().job_options}},
                       in);
  }
  /// Adds a finding when `since` is longer ago than an ending operation may take.
  void expect_prompt(Clock::time_point since, const char* check, const std::string& what) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - since);
    report_.expect(took <= report_.options().prompt, check,
                   what + " took " + std::to_string(took.count()) + " ms to end");
  }
  std::string fingerprint() const {
    return report_.options().fingerprint ? report_.options().fingerprint(target_) : std::string{};
  }

  void lists() {
    constexpr const char* kCheck = "source.list-databases";
    const auto call = report_.call();
    ItemList items;
    report_.expect_ok(source_.run(source_.table().list_databases, *call, Json::object(), items),
                      kCheck, "list_databases");
    std::set<std::string> names;
    for (const Json& item : items.items()) {
      const bool named = item.is_object() && item.contains("name") && item.at("name").is_string();
      if (!report_.expect(named, kCheck, "an item has no name")) continue;
      report_.expect(names.insert(item.at("name").get<std::string>()).second, kCheck,
                     "\"" + item.at("name").get<std::string>() + "\" is listed twice");
      for (const char* number : {"sizeInBytes", "tableCount"}) {
        report_.expect(!item.contains(number) || (item.at(number).is_number_integer() &&
                                                  item.at(number).get<int64_t>() >= 0),
                       kCheck, std::string{"\""} + number + "\" must be an integer from 0");
      }
    }
    report_.expect(database_.empty() || names.count(database_) == 1, kCheck,
                   "the database \"" + database_ + "\" is not listed");
  }

  void tables() {
    constexpr const char* kCheck = "source.tables";
    const auto call = report_.call();
    ItemList items;
    report_.expect_ok(source_.run(source_.table().tables, *call, {{"database", database_}}, items),
                      kCheck, "tables");
    std::string first;
    for (const Json& item : items.items()) {
      const bool named = item.is_object() && item.contains("name") && item.at("name").is_string();
      if (!report_.expect(named, kCheck, "an item has no name")) continue;
      const std::string type = item.value("type", "table");
      report_.expect(detail::is_one_of(type, {"table", "view", "materialized_view", "collection"}),
                     kCheck, "\"" + type + "\" is no type of a table");
      if (first.empty() && type != "view") first = item.at("name").get<std::string>();
      for (const char* number : {"rowCount", "sizeInBytes"}) {
        report_.expect(!item.contains(number) || (item.at(number).is_number_integer() &&
                                                  item.at(number).get<int64_t>() >= 0),
                       kCheck, std::string{"\""} + number + "\" must be an integer from 0");
      }
    }
    if (!first.empty() && DBACKUP_HAS(dbackup_source, &source_.table(), rows)) rows(first);
  }

  Outcome read_rows(const Json& change, ItemList& items, FakeCall& call) {
    Json request{{"database", database_}, {"table", ""}, {"page", 1}, {"pageSize", 3}};
    request.update(change);
    return source_.run(source_.table().rows, call, request, items);
  }

  void rows(const std::string& table) {
    constexpr const char* kCheck = "source.rows";
    const auto call = report_.call();
    ItemList items;
    if (!report_.expect_ok(read_rows({{"table", table}}, items, *call), kCheck, "rows")) return;
    const std::vector<Json>& all = items.items();
    if (!report_.expect(!all.empty() && all[0].is_object() && all[0].contains("columns") &&
                            all[0].at("columns").is_array() && all[0].contains("totalCount") &&
                            all[0].at("totalCount").is_number_integer(),
                        kCheck, "the first item must hold \"columns\" and \"totalCount\"")) {
      return;
    }
    std::set<std::string> names;
    for (const Json& column : all[0].at("columns")) names.insert(column.value("name", ""));
    report_.expect(all.size() <= 4, kCheck, "there are more rows than \"pageSize\" asks for");
    for (size_t i = 1; i < all.size(); ++i) {
      for (const auto& [name, value] : all[i].items()) {
        report_.expect(names.count(name) == 1, kCheck, "\"" + name + "\" is no column");
        report_.expect(value.is_null() || value.is_string(), kCheck,
                       "a cell is neither text nor null");
      }
    }
    // Names and texts of clients, some of which mean harm.
    const std::string odd = "x\"; DROP TABLE y; -- '";
    ItemList none;
    const auto other = report_.call();
    report_.expect_failure(read_rows({{"table", odd}}, none, *other), kCheck,
                           "rows of an unknown table");
    for (const char* member : {"sortBy", "searchColumn"}) {
      const auto refused = report_.call();
      report_.expect_code(
          read_rows({{"table", table}, {member, odd}, {"search", "a"}}, none, *refused),
          DBACKUP_INVALID_ARGUMENT, kCheck,
          std::string{"rows whose \""} + member + "\" is no column");
    }
    const auto searched = report_.call();
    report_.expect_ok(read_rows({{"table", table}, {"search", odd}}, none, *searched), kCheck,
                      "rows that hold an odd text");
  }

  void dump_of_unknown_database() {
    const auto call = report_.call();
    MemoryWriter out{{}, 1};
    report_.expect_failure(dump("dbackup-no-such-database-1f0c", out, *call),
                           "source.unknown-database", "dump of an unknown database");
  }

  bool dumps() {
    constexpr const char* kCheck = "source.dump";
    const auto call = report_.call();
    MemoryWriter out;
    if (!report_.expect_ok(dump(database_, out, *call), kCheck, "dump")) return false;
    report_.expect(out.size() > 0, kCheck, "a dump that succeeded wrote nothing");
    report_.expect(call->done_bytes() > 0, kCheck, "dump reported no progress");
    dump_ = out.content();
    // The consumer may take as little as one byte: what is not taken must be offered again.
    const auto slow = report_.call();
    MemoryWriter small{{.most_bytes = 1013}};
    report_.expect_ok(dump(database_, small, *slow), kCheck, "dump into small writes");
    const uint64_t difference =
        small.size() > out.size() ? small.size() - out.size() : out.size() - small.size();
    report_.expect(difference <= out.size() / 10 + 4096, kCheck,
                   "a dump into small writes has another length");
    return true;
  }

  void failing_writer_ends_dump() {
    constexpr const char* kCheck = "source.failing-consumer";
    for (const uint64_t nth : {1u, 2u}) {
      MemoryWriter out{
          {.fail_at_call = nth, .status = DBACKUP_RESOURCE_EXHAUSTED, .most_bytes = 4096}, 1};
      if (dump_.size() <= 4096 && nth == 2) break;
      const auto call = report_.call();
      const auto since = Clock::now();
      const std::string what = "dump whose consumer fails at write " + std::to_string(nth);
      report_.expect_failure(dump(database_, out, *call), kCheck, what);
      report_.expect(out.calls() == nth, kCheck,
                     "dump went on writing after its consumer had failed");
      expect_prompt(since, kCheck, what);
    }
  }

  void cancel_ends_dump() {
    constexpr const char* kCheck = "source.cancelled-dump";
    if (dump_.size() < 1024 * 1024) {
      report_.add(kCheck,
                  "the dump of \"" + database_ + "\" is under 1 MiB: cancelling cannot be checked");
      return;
    }
    const auto call = report_.call();
    MemoryWriter out{{.most_bytes = 64 * 1024}, 1};
    Clock::time_point since;
    uint64_t writes_after = 0;
    out.before_write([&](uint64_t nth) {
      if (nth == 2) {
        since = Clock::now();
        call->cancel();
      }
      if (call->told_cancelled()) ++writes_after;
    });
    const Outcome outcome = dump(database_, out, *call);
    expect_prompt(since, kCheck, "a cancelled dump");
    report_.expect_code(outcome, DBACKUP_CANCELLED, kCheck, "a cancelled dump");
    report_.expect(writes_after == 0, kCheck, "dump wrote on after it was told to end");
  }

  void cancel_before_dump() {
    const auto call = report_.call();
    call->cancel();
    MemoryWriter out{{}, 1};
    report_.expect_failure(dump(database_, out, *call), "source.cancelled-dump",
                           "dump of an operation that is already cancelled");
  }

  bool restores() {
    constexpr const char* kCheck = "source.restore";
    if (DBACKUP_HAS(dbackup_source, &source_.table(), prepare_restore)) {
      const auto call = report_.call();
      report_.expect_ok(source_.run(source_.table().prepare_restore, *call,
                                    {{"databases", Json::array({target_})}}),
                        kCheck, "prepare_restore");
    }
    const auto call = report_.call();
    MemoryReader in{dump_, {.most_bytes = 50'021}};
    if (!report_.expect_ok(restore(in, *call), kCheck, "restore of a dump")) return false;
    if (report_.options().fingerprint) {
      report_.expect(fingerprint() == report_.options().fingerprint(database_), kCheck,
                     "the restored database differs from the dumped one");
    }
    return true;
  }

  /// A restore that fails must say so, and leave the target alone where the descriptor promises it.
  void expect_failed_restore(MemoryReader& in, FakeCall& call, dbackup_status wanted,
                             const char* check, const std::string& what) {
    const std::string before = fingerprint();
    const Outcome outcome = restore(in, call);
    if (wanted == DBACKUP_OK) {
      report_.expect_failure(outcome, check, what);
    } else {
      report_.expect_code(outcome, wanted, check, what);
    }
    if (capabilities_.value("atomicRestore", false) && report_.options().fingerprint) {
      report_.expect(fingerprint() == before, check, what + " changed the target");
    }
  }

  void cut_restore() {
    constexpr const char* kCheck = "source.cut-restore";
    const uint64_t block = std::max<uint64_t>(dump_.size() / 8, 1);
    for (const uint64_t nth : {uint64_t{1}, uint64_t{2}, uint64_t{7}}) {
      MemoryReader failing{dump_,
                           {.fail_at_call = nth, .status = DBACKUP_DATA_LOSS, .most_bytes = block}};
      const auto call = report_.call();
      expect_failed_restore(failing, *call, DBACKUP_OK, kCheck,
                            "a restore whose stream fails at read " + std::to_string(nth));
    }
    if (report_.options().any_bytes_are_a_dump) return;
    const auto call = report_.call();
    MemoryReader garbage{std::string(300'000, 'x')};
    expect_failed_restore(garbage, *call, DBACKUP_OK, kCheck,
                          "a restore of something that is no dump");
  }

  void cancelled_restore() {
    constexpr const char* kCheck = "source.cancelled-restore";
    const auto call = report_.call();
    MemoryReader in{dump_, {.most_bytes = std::max<uint64_t>(dump_.size() / 8, 1)}};
    Clock::time_point since = Clock::now();
    in.before_read([&](uint64_t nth) {
      if (nth != 3) return;
      since = Clock::now();
      call->cancel();
    });
    expect_failed_restore(in, *call, DBACKUP_CANCELLED, kCheck, "a cancelled restore");
    expect_prompt(since, kCheck, "a cancelled restore");
  }

  /// Run twice, for a restore that left nothing: it must change nothing.
  void cleanup_after_nothing() {
    if (!DBACKUP_HAS(dbackup_source, &source_.table(), cleanup_restore)) return;
    constexpr const char* kCheck = "source.cleanup-restore";
    const std::string before = fingerprint();
    for (int i = 0; i < 2; ++i) {
      const auto call = report_.call();
      report_.expect_ok(source_.run(source_.table().cleanup_restore, *call,
                                    {{"database", target_},
                                     {"token", "00000000-0000-4000-8000-000000000000"}}),
                        kCheck, "cleanup_restore where nothing was left");
    }
    if (report_.options().fingerprint) {
      report_.expect(fingerprint() == before, kCheck, "cleanup_restore changed the target");
    }
  }

  const SourceInstance& source_;
  const Json& capabilities_;
  Report& report_;
  std::string database_;
  std::string target_;
  std::string dump_;
};

}  // namespace dbackup::testing
