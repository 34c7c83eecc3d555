#pragma once

#include <chrono>
#include <dbackup/testing/adapter.hpp>
#include <dbackup/testing/local_services.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/support/paths.hpp"

namespace dbackup::testing {

/// `size` bytes that differ from place to place, made as they are read.
class GeneratedReader {
 public:
  explicit GeneratedReader(uint64_t size) : size_{size} {}
  GeneratedReader(const GeneratedReader&) = delete;
  GeneratedReader& operator=(const GeneratedReader&) = delete;
  const dbackup_reader* raw() const noexcept { return &raw_; }
  /// Called before each read with the number of bytes given so far.
  void before_read(std::function<void(uint64_t)> hook) { before_ = std::move(hook); }
  uint64_t given() const noexcept { return at_; }

  static void fill(void* buffer, uint64_t at, uint64_t size) noexcept {
    auto* out = static_cast<unsigned char*>(buffer);
    for (uint64_t i = 0; i < size; ++i) {
      const uint64_t place = at + i;
      out[i] = static_cast<unsigned char>(place ^ (place >> 9U) ^ (place >> 21U));
    }
  }

 private:
  static int64_t read(void* ctx, void* buffer, uint64_t size) noexcept {
    auto& me = *static_cast<GeneratedReader*>(ctx);
    if (me.before_) me.before_(me.at_);
    const uint64_t n = std::min(size, me.size_ - me.at_);
    fill(buffer, me.at_, n);
    me.at_ += n;
    return static_cast<int64_t>(n);
  }

  dbackup_reader raw_{sizeof(dbackup_reader), this, &read};
  uint64_t size_;
  uint64_t at_ = 0;
  std::function<void(uint64_t)> before_;
};

/// Takes what a GeneratedReader gave, from `offset` on, and compares.
class ComparingWriter {
 public:
  explicit ComparingWriter(uint64_t offset = 0) : at_{offset}, begin_{offset} {}
  ComparingWriter(const ComparingWriter&) = delete;
  ComparingWriter& operator=(const ComparingWriter&) = delete;
  const dbackup_writer* raw() const noexcept { return &raw_; }
  bool equal() const noexcept { return equal_; }
  uint64_t size() const noexcept { return at_ - begin_; }

 private:
  static int64_t write(void* ctx, const void* data, uint64_t size) noexcept {
    auto& me = *static_cast<ComparingWriter*>(ctx);
    me.wanted_.resize(size);
    GeneratedReader::fill(me.wanted_.data(), me.at_, size);
    me.equal_ = me.equal_ && std::memcmp(me.wanted_.data(), data, size) == 0;
    me.at_ += size;
    return static_cast<int64_t>(size);
  }

  dbackup_writer raw_{sizeof(dbackup_writer), this, &write};
  uint64_t at_;
  uint64_t begin_;
  bool equal_ = true;
  std::string wanted_;
};

/// A built storage plugin with one configuration, driven through its C table as the host drives it.
/// Each operation has its own instance. Any thread.
class StorageBench {
 public:
  StorageBench(const std::string& plugin, Json config)
      : file_{::dbackup::test::binary_dir() + "/lib/dbackup/plugins/" + plugin + ".so"},
        config_(with_defaults(file_.adapter(), std::move(config))) {}  // braces would make an array

  const dbackup_adapter& adapter() const { return file_.adapter(); }
  Json& config() { return config_; }

  Outcome test() const {
    FakeCall call;
    return with(call, [&](const StorageInstance& storage) { return storage.test(call); });
  }
  Outcome ping() const {
    FakeCall call;
    return with(call, [&](const StorageInstance& storage) {
      return storage.run(storage.table().ping, call, Json::object());
    });
  }
  template <class In>
  Outcome put(FakeCall& call, const std::string& path, In& in,
              const std::string& token = "token-1") const {
    return with(call, [&](const StorageInstance& storage) {
      return storage.run(storage.table().put, call, {{"path", path}, {"token", token}}, in);
    });
  }
  Outcome put(const std::string& path, const std::string& content,
              const std::string& token = "token-1") const {
    FakeCall call;
    MemoryReader in{content};
    return put(call, path, in, token);
  }
  template <class Out>
  Outcome get(FakeCall& call, Json request, Out& out) const {
    return with(call, [&](const StorageInstance& storage) {
      return storage.run(storage.table().get, call, request, out);
    });
  }
  /// The content of an object. Throws when it cannot be read.
  std::string content(const std::string& path) const {
    FakeCall call;
    MemoryWriter out;
    const Outcome outcome = get(call, {{"path", path}}, out);
    if (!outcome.ok()) throw std::runtime_error{"get: " + outcome.text()};
    return out.content();
  }
  Outcome list(FakeCall& call, const std::string& prefix, ItemList& items) const {
    return with(call, [&](const StorageInstance& storage) {
      return storage.run(storage.table().list, call, {{"prefix", prefix}}, items);
    });
  }
  /// Every path below `prefix`. Throws when it cannot be listed.
  std::set<std::string> paths(const std::string& prefix = "") const {
    FakeCall call;
    ItemList items;
    const Outcome outcome = list(call, prefix, items);
    if (!outcome.ok()) throw std::runtime_error{"list: " + outcome.text()};
    std::set<std::string> out;
    for (const Json& item : items.items()) out.insert(item.at("path").get<std::string>());
    return out;
  }
  Outcome stat(const std::string& path) const {
    return ask(&dbackup_storage::stat, {{"path", path}});
  }
  Outcome remove(const std::string& path) const {
    return ask(&dbackup_storage::remove, {{"path", path}});
  }
  Outcome cleanup(const std::string& token = "token-1") const {
    return ask(&dbackup_storage::cleanup, {{"token", token}});
  }

 private:
  template <class Member>
  Outcome ask(Member member, const Json& request) const {
    FakeCall call;
    return with(call, [&](const StorageInstance& storage) {
      return storage.run(storage.table().*member, call, request);
    });
  }
  template <class Body>
  Outcome with(FakeCall& call, Body&& body) const {
    offer_local_services(call);
    Outcome opened;
    const auto storage = StorageInstance::open(
        *table_of<dbackup_storage>(file_.adapter(), DBACKUP_EXT_STORAGE), config_, opened);
    return opened.ok() ? body(storage) : opened;
  }

  PluginFile file_;
  Json config_;
};

}  // namespace dbackup::testing
