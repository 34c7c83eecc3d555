#pragma once

#include <array>
#include <chrono>
#include <dbackup/testing/findings.hpp>
#include <set>

namespace dbackup::testing {

/// Everything a storage adapter promises, against the storage of `options().config`. Objects are
/// made below `options().folder` and removed again.
class StorageChecks {
 public:
  StorageChecks(const StorageInstance& storage, const Json& capabilities, Report& report)
      : storage_{storage},
        capabilities_{capabilities},
        report_{report},
        folder_{report.options().folder} {}

  void run() {
    connection();
    if (!round_trips()) return;  // nothing further would mean anything
    if (capabilities_.value("rangedGet", false)) ranges();
    if (capabilities_.value("atomicReplace", false)) replaces_when_asked();
    names();
    never_replaces();
    failed_puts_leave_nothing();
    cancelled_put_leaves_nothing();
    partial_transfers();
    refused_paths();
    missing_objects();
    lists();
    cancelled_get();
    if (DBACKUP_HAS(dbackup_storage, &storage_.table(), browse)) browses();
    tidy();
  }

 private:
  static constexpr const char* kToken = "conformance-0123456789abcdef";

  static std::string pattern(size_t size) {
    std::string out(size, '\0');
    uint32_t state = 2463534242u;
    for (char& c : out) {
      state ^= state << 13, state ^= state >> 17, state ^= state << 5;
      c = static_cast<char>(state);
    }
    return out;
  }
  std::string below(const std::string& name) const { return folder_ + "/" + name; }

  Outcome put(const std::string& path, MemoryReader& in, FakeCall& call) {
    return storage_.run(storage_.table().put, call, {{"path", path}, {"token", kToken}}, in);
  }
  Outcome put(const std::string& path, const std::string& content) {
    const auto call = report_.call();
    MemoryReader in{content};
    return put(path, in, *call);
  }
  Outcome get(const std::string& path, MemoryWriter& out, Json range = Json::object()) {
    const auto call = report_.call();
    range["path"] = path;
    return storage_.run(storage_.table().get, *call, range, out);
  }
  Outcome stat(const std::string& path) {
    const auto call = report_.call();
    return storage_.run(storage_.table().stat, *call, {{"path", path}});
  }
  Outcome remove(const std::string& path) {
    const auto call = report_.call();
    return storage_.run(storage_.table().remove, *call, {{"path", path}});
  }
  std::set<std::string> listed(const std::string& prefix, const char* check) {
    const auto call = report_.call();
    ItemList items;
    report_.expect_ok(storage_.run(storage_.table().list, *call, {{"prefix", prefix}}, items),
                      check, "list of \"" + prefix + "\"");
    std::set<std::string> paths;
    for (const Json& item : items.items()) {
      if (item.is_object() && item.value("unreadable", false)) continue;  // a folder of others
      if (report_.expect(item.is_object() && item.contains("path") && item.contains("size"), check,
                         "an item of a list has no path or no size")) {
        paths.insert(item.at("path").get<std::string>());
      }
    }
    return paths;
  }
  bool exists(const std::string& path) { return stat(path).result.value("exists", false); }

  /// No trace of `path`: not listed, no stat, and nothing left for cleanup.
  void expect_nothing(const std::string& path, const char* check, const std::string& after) {
    report_.expect(!exists(path), check, after + " the object can be seen by stat");
    report_.expect(listed(folder_, check).count(path) == 0, check, after + " the object is listed");
    const auto call = report_.call();
    const Outcome left = storage_.run(storage_.table().cleanup, *call, {{"token", kToken}});
    report_.expect_ok(left, check, "cleanup");
    report_.expect(left.result.value("removed", 0) == 0, check,
                   after + " a temporary object was left");
  }

  void connection() {
    for (const bool full : {true, false}) {
      const auto call = report_.call();
      const char* check = full ? "storage.test" : "storage.ping";
      const Outcome outcome =
          full ? storage_.test(*call) : storage_.run(storage_.table().ping, *call, Json::object());
      report_.expect_ok(outcome, check, full ? "test" : "ping");
      if (full) {
        report_.expect(!outcome.result.value("message", "").empty(), check, "test gave no message");
        report_.expect(listed(".dbackup", check).empty(), check,
                       "test left its probe object behind");
      }
    }
  }

  bool round_trips() {
    constexpr const char* kCheck = "storage.round-trip";
    bool good = true;
    for (const size_t size :
         {size_t{0}, size_t{1}, size_t{511}, size_t{65536}, size_t{300'007}, size_t{3'145'729}}) {
      const std::string path = below("sizes/" + std::to_string(size) + ".bin");
      const std::string content = pattern(size);
      const std::string what = "an object of " + std::to_string(size) + " bytes";
      const Outcome stored = put(path, content);
      if (!report_.expect_ok(stored, kCheck, "put of " + what)) return false;
      good &= report_.expect(stored.result.value("path", "") == path, kCheck,
                             "put answered another path");
      good &= report_.expect(stored.result.value("size", uint64_t{1} << 60) == size, kCheck,
                             "put of " + what + " answered another size");
      MemoryWriter out;
      good &= report_.expect_ok(get(path, out), kCheck, "get of " + what);
      good &=
          report_.expect(out.content() == content, kCheck, "get of " + what + " gave other bytes");
      const Outcome seen = stat(path);
      good &= report_.expect_ok(seen, kCheck, "stat");
      const Json object = seen.result.value("object", Json::object());
      good &= report_.expect(
          seen.result.value("exists", false) && object.value("size", uint64_t{1} << 60) == size,
          kCheck, "stat of " + what + " does not show it");
      const auto age = std::chrono::duration_cast<std::chrono::hours>(
          std::chrono::system_clock::now().time_since_epoch() -
          std::chrono::milliseconds{object.value("modifiedMs", int64_t{0})});
      good &= report_.expect(
          age.count() > -26 && age.count() < 26, kCheck,
          "\"modifiedMs\" of a new object is not the time in milliseconds since 1970");
    }
    return good;
  }

  void ranges() {
    constexpr const char* kCheck = "storage.range";
    const std::string path = below("range.bin");
    const std::string content = pattern(200'000);
    if (!report_.expect_ok(put(path, content), kCheck, "put")) return;
    struct Range {
      uint64_t offset;
      int64_t length;
    };
    for (const Range range : {Range{0, 1}, Range{1, 65535}, Range{199'999, 1},
                              Range{65'536, 100'000}, Range{150'000, 1'000'000}, Range{200'000, 10},
                              Range{900'000, 10}, Range{0, 0}, Range{100, -1}}) {
      Json request{{"offset", range.offset}};
      if (range.length >= 0) request["length"] = range.length;
      const std::string what =
          "get from " + std::to_string(range.offset) + ", length " + std::to_string(range.length);
      MemoryWriter out;
      report_.expect_ok(get(path, out, request), kCheck, what);
      std::string wanted;
      if (range.offset < content.size()) {
        wanted = content.substr(
            range.offset, range.length < 0 ? std::string::npos : static_cast<size_t>(range.length));
      }
      report_.expect(out.content() == wanted, kCheck, what + " gave other bytes");
    }
  }

  void names() {
    constexpr const char* kCheck = "storage.names";
    for (const char* name :
         {"with space.txt", "hash#.txt", "query?x=1&y=2.txt", "100%.txt", "%2e%2e.txt", "plus+.txt",
          "quote'\".txt", "semi;colon.txt", "Größe.txt", "резерв.txt", "备份/数据库.txt",
          "emoji \xF0\x9F\x92\xBE.txt", ".hidden", "a.b.c..d", "-dash"}) {
      const std::string path = below(std::string{"names/"} + name);
      const std::string content = std::string{"content of "} + name;
      const std::string what = "\"" + path + "\"";
      if (!report_.expect_ok(put(path, content), kCheck, "put of " + what)) continue;
      MemoryWriter out;
      report_.expect_ok(get(path, out), kCheck, "get of " + what);
      report_.expect(out.content() == content, kCheck, "get of " + what + " gave other bytes");
      report_.expect(listed(folder_, kCheck).count(path) == 1, kCheck,
                     what + " is not listed as such");
      report_.expect(remove(path).result.value("removed", false), kCheck,
                     what + " cannot be removed");
    }
    const std::string longest = below(std::string(251, 'n') + ".bin");
    if (report_.expect_ok(put(longest, "x"), kCheck, "put of a name of 255 bytes")) {
      report_.expect_ok(remove(longest), kCheck, "remove of a name of 255 bytes");
    }
  }

  void never_replaces() {
    constexpr const char* kCheck = "storage.no-replace";
    const std::string path = below("taken.bin");
    if (!report_.expect_ok(put(path, "first"), kCheck, "put")) return;
    report_.expect_code(put(path, "second"), DBACKUP_ALREADY_EXISTS, kCheck, "put of a taken path");
    // Taken while the bytes are still coming: the race that a look beforehand does not see.
    const std::string raced = below("raced.bin");
    MemoryReader in{pattern(600'000)};
    bool done = false;
    in.before_read([&](uint64_t) {
      if (!std::exchange(done, true))
        report_.expect_ok(put(raced, "first"), kCheck, "put during a put");
    });
    const auto call = report_.call();
    report_.expect_code(put(raced, in, *call), DBACKUP_ALREADY_EXISTS, kCheck,
                        "put of a path that is taken meanwhile");
    for (const std::string& kept : {path, raced}) {
      MemoryWriter out;
      report_.expect_ok(get(kept, out), kCheck, "get");
      report_.expect(out.content() == "first", kCheck, "an existing object was replaced");
    }
  }

  void replaces_when_asked() {
    constexpr const char* kCheck = "storage.replace";
    const std::string path = below("replaced.json");
    if (!report_.expect_ok(put(path, "first"), kCheck, "put")) return;
    const auto replace = [&](MemoryReader& in, FakeCall& call) {
      return storage_.run(storage_.table().put, call,
                          {{"path", path}, {"token", "replace"}, {"replace", true}}, in);
    };
    const auto content = [&] {
      MemoryWriter out;
      report_.expect_ok(get(path, out), kCheck, "get");
      return out.content();
    };
    {
      MemoryReader failing{pattern(600'000), {.fail_at_call = 3, .most_bytes = 100'000}};
      const auto call = report_.call();
      report_.expect_failure(replace(failing, *call), kCheck, "a replacing put whose stream fails");
      report_.expect(content() == "first", kCheck, "a failed replacement changed the object");
    }
    MemoryReader in{"second"};
    in.before_read([&](uint64_t) {
      report_.expect(content() == "first", kCheck,
                     "the old object is gone before the new one is whole");
    });
    const auto call = report_.call();
    report_.expect_ok(replace(in, *call), kCheck, "a replacing put");
    report_.expect(content() == "second", kCheck, "the object was not replaced");
    report_.expect_ok(remove(path), kCheck, "remove");
  }

  void failed_puts_leave_nothing() {
    constexpr const char* kCheck = "storage.aborted-put";
    for (const uint64_t nth : {1u, 2u, 4u}) {
      const std::string path = below("aborted/deep/" + std::to_string(nth) + ".bin");
      MemoryReader in{pattern(1'000'000), {.fail_at_call = nth, .most_bytes = 200'000}};
      const auto call = report_.call();
      const std::string what = "put whose stream fails at read " + std::to_string(nth);
      report_.expect_failure(put(path, in, *call), kCheck, what);
      expect_nothing(path, kCheck, "after a " + what);
      report_.expect_ok(put(path, "later"), kCheck, "put after a failed put");
      report_.expect_ok(remove(path), kCheck, "remove");
    }
  }

  void cancelled_put_leaves_nothing() {
    constexpr const char* kCheck = "storage.cancelled-put";
    const std::string path = below("cancelled.bin");
    MemoryReader in{pattern(8'000'000), {.most_bytes = 100'000}};
    const auto call = report_.call();
    uint64_t reads_after = 0;
    in.before_read([&](uint64_t nth) {
      if (nth == 3) call->cancel();
      if (call->told_cancelled()) ++reads_after;
    });
    report_.expect_code(put(path, in, *call), DBACKUP_CANCELLED, kCheck, "a cancelled put");
    report_.expect(reads_after == 0, kCheck, "put went on reading after it was told to end");
    expect_nothing(path, kCheck, "after a cancelled put");
  }

  void partial_transfers() {
    constexpr const char* kCheck = "storage.partial-transfers";
    const std::string path = below("partial.bin");
    const std::string content = pattern(100'003);
    MemoryReader in{content, {.most_bytes = 777}};
    const auto call = report_.call();
    if (!report_.expect_ok(put(path, in, *call), kCheck, "put from small reads")) return;
    MemoryWriter out{{.most_bytes = 333}};
    report_.expect_ok(get(path, out), kCheck, "get into small writes");
    report_.expect(out.content() == content, kCheck, "small reads and writes changed the content");
  }

  void refused_paths() {
    constexpr const char* kCheck = "storage.refused-paths";
    for (const char* path :
         {"../outside", "/absolute", "a/../../outside", "..", "a/..", "", "a//b", "./a"}) {
      const std::string what = std::string{"\""} + path + "\"";
      const Outcome stored = put(path, "x");
      if (report_.expect_failure(stored, kCheck, "put of " + what)) {
        report_.expect(
            stored.status == DBACKUP_INVALID_ARGUMENT || stored.status == DBACKUP_PERMISSION_DENIED,
            kCheck, "put of " + what + " should give code 3 or 7, but gave " + stored.text());
      }
      MemoryWriter out;
      report_.expect_failure(get(path, out), kCheck, "get of " + what);
      report_.expect_failure(remove(path), kCheck, "remove of " + what);
    }
  }

  void missing_objects() {
    constexpr const char* kCheck = "storage.missing";
    MemoryWriter out;
    report_.expect_code(get(below("no/such.bin"), out), DBACKUP_NOT_FOUND, kCheck,
                        "get of a missing object");
    const Outcome seen = stat(below("no/such.bin"));
    report_.expect_ok(seen, kCheck, "stat of a missing object");
    report_.expect(!seen.result.value("exists", true), kCheck, "stat shows a missing object");
    const Outcome removed = remove(below("no/such.bin"));
    report_.expect_ok(removed, kCheck, "remove of a missing object");
    report_.expect(!removed.result.value("removed", true), kCheck,
                   "remove claims a missing object");
    report_.expect(listed(below("no/such/folder"), kCheck).empty(), kCheck,
                   "a missing folder lists something");
    report_.expect(!exists(below("sizes")), kCheck, "a folder is shown as an object");
  }

  void lists() {
    constexpr const char* kCheck = "storage.list";
    std::set<std::string> wanted;
    for (const char* name : {"list/a.bin", "list/b/c.bin", "list/b/d/e.bin"}) {
      wanted.insert(below(name));
      report_.expect_ok(put(below(name), "x"), kCheck, "put");
    }
    report_.expect_ok(put(below("list-beside.bin"), "x"), kCheck, "put");
    report_.expect(listed(below("list"), kCheck) == wanted, kCheck,
                   "a list of a folder is not exactly what lies below it");
    report_.expect(listed(below("list/"), kCheck) == wanted, kCheck,
                   "a trailing slash changes a list");
    const auto call = report_.call();
    ItemList first{1};
    const Outcome ended =
        storage_.run(storage_.table().list, *call, {{"prefix", below("list")}}, first);
    report_.expect_code(ended, DBACKUP_CANCELLED, kCheck, "list ended by its consumer");
  }

  void cancelled_get() {
    constexpr const char* kCheck = "storage.cancelled-get";
    const auto call = report_.call();
    MemoryWriter out{{.most_bytes = 4096}};
    out.before_write([&](uint64_t) { call->cancel(); });
    const Outcome outcome =
        storage_.run(storage_.table().get, *call, {{"path", below("sizes/3145729.bin")}}, out);
    report_.expect_code(outcome, DBACKUP_CANCELLED, kCheck, "a cancelled get");
    report_.expect(out.size() < 3'145'729, kCheck, "a cancelled get wrote everything");
    MemoryWriter gone{{.fail_at_call = 2, .most_bytes = 4096}};
    report_.expect_code(get(below("sizes/3145729.bin"), gone), DBACKUP_UNAVAILABLE, kCheck,
                        "get whose consumer fails");
  }

  void browses() {
    constexpr const char* kCheck = "storage.browse";
    const auto call = report_.call();
    ItemList items;
    report_.expect_ok(
        storage_.run(storage_.table().browse, *call, {{"path", below("list")}}, items), kCheck,
        "browse");
    report_.expect(items.items().size() == 1 && items.items()[0].value("name", "") == "b", kCheck,
                   "browse does not show exactly the folders directly below");
  }

  void tidy() {
    constexpr const char* kCheck = "storage.remove";
    for (const std::string& path : listed(folder_, kCheck)) {
      report_.expect(remove(path).result.value("removed", false), kCheck,
                     "cannot remove \"" + path + "\"");
    }
    report_.expect(listed(folder_, kCheck).empty(), kCheck, "removed objects are still listed");
  }

  const StorageInstance& storage_;
  const Json& capabilities_;
  Report& report_;
  std::string folder_;
};

}  // namespace dbackup::testing
