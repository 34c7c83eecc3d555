// A plugin for tests of the worker: a source whose bytes follow from a seed, and a storage in a
// folder that fails at a chosen call.
#include <dbackup/plugin.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

namespace {

namespace fs = std::filesystem;

constexpr dbackup::Option kSourceOptions[] = {
    {.name = "bytes", .type = "integer", .fallback = "1000"},
    {.name = "failAfter",
     .type = "integer",
     .help = "Fails after so many bytes.",
     .fallback = "-1"},
    {.name = "hangAfter",
     .type = "integer",
     .help = "Waits for its cancellation.",
     .fallback = "-1"},
    {.name = "restoreTo", .type = "path", .help = "File that a restore fills."},
    {.name = "behaviour", .help = "noise, garbage, silent, throw, restoreNothing"},
    {.name = "secret", .secret = true}};

/// Text that compresses about as well as a dump, and differs from place to place.
std::string line(int64_t number) {
  uint64_t x = static_cast<uint64_t>(number) * 0x9E3779B97F4A7C15ULL;
  x ^= x >> 29;
  return "INSERT INTO t VALUES (" + std::to_string(number) + ", '" + std::to_string(x) + "');\n";
}

class ProbeSource final : public dbackup::Source {
 public:
  explicit ProbeSource(const dbackup::Config& config) : config_{config} {}

  dbackup::TestResult test(dbackup::Call& call) override {
    const std::string how = config_.text("behaviour");
    if (how == "noise") {
      std::cout << "noise on the standard output\n" << std::flush;
      std::cerr << "noise on the error output" << std::endl;
    }
    if (how == "throw") throw 42;
    if (how == "hang") {
      while (!call.is_cancelled()) std::this_thread::yield();
      call.check_cancelled();
    }
    if (how == "environment") {
      return {.message = dbackup::Exec{call}.run({"env"}).output};
    }
    if (how == "leak") {  // never gives the program back
      const auto* exec =
          static_cast<const dbackup_host_exec*>(call.host_extension(DBACKUP_EXT_HOST_EXEC));
      void* process = nullptr;
      exec->start(call.raw()->ctx, dbackup::borrow(R"({"argv":["sleep","600"]})"), &process);
    }
    return {.message = "fine", .version = "1"};
  }

  dbackup::DumpResult dump(dbackup::Call& call, const dbackup::DumpRequest&,
                           dbackup::Writer& out) override {
    const int64_t bytes = config_.integer_or("bytes", 0);
    const int64_t fail_after = config_.integer_or("failAfter", -1);
    const int64_t hang_after = config_.integer_or("hangAfter", -1);
    std::string block;
    int64_t done = 0;
    for (int64_t number = 0; done < bytes || fail_after >= 0 || hang_after >= 0; ++number) {
      block += line(number);
      if (block.size() < 64 * 1024 && done + static_cast<int64_t>(block.size()) < bytes) continue;
      if (done + static_cast<int64_t>(block.size()) > bytes && bytes > 0) {
        block.resize(static_cast<size_t>(bytes - done));
      }
      out.write(block);
      done += static_cast<int64_t>(block.size());
      block.clear();
      call.progress(static_cast<uint64_t>(done), static_cast<uint64_t>(bytes));
      call.check_cancelled();
      if (fail_after >= 0 && done >= fail_after) {
        throw dbackup::Error{dbackup::ErrorCode::Aborted, "the probe failed as asked"};
      }
      if (hang_after >= 0 && done >= hang_after) {
        call.info("hanging");
        while (!call.is_cancelled()) std::this_thread::yield();
        call.check_cancelled();
      }
    }
    return {.engine_version = "probe 1"};
  }

  void tables(dbackup::Call&, const dbackup::Config& request, dbackup::ItemSink& sink) {
    const std::string how = config_.text("behaviour");
    if (how == "oddType") return sink.item({{"name", "t"}, {"type", "cupboard"}});
    if (how == "noName") return sink.item({{"type", "table"}});
    if (how == "oddCount") return sink.item({{"name", "t"}, {"rowCount", "many"}});
    sink.item({{"name", request.text("database") + "-table"}, {"rowCount", 2}, {"odd", true}});
  }

  void rows(dbackup::Call&, const dbackup::Config& request, dbackup::ItemSink& sink) {
    const std::string how = config_.text("behaviour");
    if (how == "noHead") return;
    const dbackup::Json column{{"name", "a"}, {"dataType", "int"}, {"odd", true}};
    sink.item({{"columns", dbackup::Json::array({column})},
               {"totalCount", how == "oddCount" ? dbackup::Json("many") : dbackup::Json(2)}});
    const int64_t count = request.integer_or("pageSize", 0) + (how == "tooMany" ? 1 : 0);
    for (int64_t i = 0; i < count; ++i) {
      if (how == "oddCell") {
        sink.item({{"a", 5}});
      } else {
        sink.item({{how == "oddColumn" ? "b" : "a", "text"}});
      }
    }
  }

  void restore(dbackup::Call& call, const dbackup::RestoreRequest&, dbackup::Reader& in) override {
    if (config_.text("behaviour") == "restoreNothing") return;
    const std::string target = config_.required("restoreTo");
    std::ofstream out{target + ".part", std::ios::binary};
    std::string block(64 * 1024, '\0');
    while (const size_t n = in.read(std::as_writable_bytes(std::span{block}))) {
      out.write(block.data(), static_cast<std::streamsize>(n));
      call.check_cancelled();
    }
    out.close();
    fs::rename(target + ".part", target);
  }

 private:
  dbackup::Config config_;
};

constexpr dbackup::Option kStorageOptions[] = {
    {.name = "basePath", .type = "path", .required = true},
    {.name = "failCall",
     .type = "integer",
     .help = "The call that fails, from 1.",
     .fallback = "0"},
    {.name = "behaviour", .help = "shortPut: reports a put without reading it"}};

class ProbeStorage final : public dbackup::Storage {
 public:
  explicit ProbeStorage(const dbackup::Config& config)
      : config_{config}, base_{config.required("basePath")} {
    count();
  }

  dbackup::TestResult test(dbackup::Call&) override { return {.message = "fine"}; }
  void ping(dbackup::Call&) override { count(); }

  dbackup::ObjectInfo put(dbackup::Call&, const dbackup::PutRequest& request,
                          dbackup::Reader& in) override {
    count();
    const fs::path target = base_ / request.path, part = base_ / ("." + request.token);
    fs::create_directories(target.parent_path());
    if (fs::exists(target)) throw dbackup::Error{dbackup::ErrorCode::AlreadyExists, "taken"};
    std::ofstream out{part, std::ios::binary};
    if (config_.text("behaviour") == "shortPut") {
      fs::rename(part, target);
      return {.path = request.path, .size = 0};
    }
    std::string block(100'000, '\0');
    while (const size_t n = in.read(std::as_writable_bytes(std::span{block}))) {
      out.write(block.data(), static_cast<std::streamsize>(n));
    }
    out.close();
    count();  // a failure after the last byte, before the commit; its leftover is for cleanup()
    fs::rename(part, target);
    count();  // a failure whose answer is lost: the object is there
    return {.path = request.path, .size = fs::file_size(target)};
  }
  void get(dbackup::Call&, const std::string& path, uint64_t, std::optional<uint64_t>,
           dbackup::Writer& out) override {  // reads no ranges, and says so
    count();
    std::ifstream in{base_ / path, std::ios::binary};
    if (!in) throw dbackup::Error{dbackup::ErrorCode::NotFound, "not there"};
    std::string block(1000, '\0');
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0) {
      out.write(std::string_view{block}.substr(0, static_cast<size_t>(in.gcount())));
    }
  }
  void list(dbackup::Call&, const std::string&,
            const std::function<void(const dbackup::ObjectInfo&)>& found) override {
    count();
    for (const auto& entry : fs::recursive_directory_iterator{base_}) {
      if (!entry.is_regular_file()) continue;
      found({.path = fs::relative(entry.path(), base_).string(), .size = entry.file_size()});
    }
  }
  std::optional<dbackup::ObjectInfo> stat(dbackup::Call&, const std::string& path) override {
    count();
    if (!fs::exists(base_ / path)) return std::nullopt;
    return dbackup::ObjectInfo{.path = path, .size = fs::file_size(base_ / path)};
  }
  bool remove(dbackup::Call&, const std::string& path) override {
    count();
    return fs::remove(base_ / path);
  }
  uint64_t cleanup(dbackup::Call&, const std::string& token) override {
    count();
    return fs::remove(base_ / ("." + token)) ? 1 : 0;
  }

 private:
  void count() {
    if (++calls_ == config_.integer_or("failCall", 0)) {
      throw dbackup::Error{dbackup::ErrorCode::Unavailable, "the probe failed as asked"};
    }
  }

  dbackup::Config config_;
  fs::path base_;
  int64_t calls_ = 0;
};

constexpr dbackup::AdapterInfo kSource{
    .id = "probe-source", .name = "Probe", .options = kSourceOptions};
constexpr dbackup::AdapterInfo kStorage{
    .id = "probe-storage", .name = "Probe", .options = kStorageOptions};

}  // namespace

DBACKUP_PLUGIN("org.dbackup.test.probe", "Probe", "1.2.3",
               dbackup::source<ProbeSource>(kSource,
                                            {.extension = "sql", .tables = true, .rows = true}),
               dbackup::storage<ProbeStorage>(kStorage, {}))
