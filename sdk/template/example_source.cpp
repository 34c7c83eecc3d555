// A source that backs up the files of one folder: each file is a "database", its bytes are the
// dump. Copy it, rename it, and replace the five functions.

#include <array>
#include <cerrno>
#include <dbackup/plugin.hpp>
#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
using dbackup::Error;
using dbackup::ErrorCode;

// 1. The options: the host checks, completes, seals and documents them from this table alone.
constexpr dbackup::Option kOptions[] = {
    {.name = "folder",
     .type = "path",
     .help = "Folder whose files are backed up.",
     .required = true},
};

// 2. What the adapter is and can do. Each flag must agree with the functions of the class.
constexpr dbackup::AdapterInfo kInfo{
    .id = "example-files", .name = "Example files", .options = kOptions};
constexpr dbackup::SourceCapabilities kCapabilities{
    .extension = "bin", .list_databases = true, .restore_renamed = true, .atomic_restore = true};

using Block = std::array<std::byte, 64 * 1024>;

// 3. The class. It throws dbackup::Error; nothing else needs to be handled.
class ExampleSource final : public dbackup::Source {
 public:
  explicit ExampleSource(const dbackup::Config& config) : folder_{config.required("folder")} {}

  dbackup::TestResult test(dbackup::Call&) override {
    if (!fs::is_directory(folder_))
      throw Error{ErrorCode::NotFound, "no folder \"" + folder_.string() + "\""};
    return {.message = "Connection successful"};
  }

  void list_databases(dbackup::Call& call,
                      const std::function<void(const dbackup::DatabaseInfo&)>& found) {
    for (const auto& entry : fs::directory_iterator{folder_}) {
      call.check_cancelled();
      if (!entry.is_regular_file()) continue;
      found({.name = entry.path().filename().string(),
             .size_bytes = static_cast<int64_t>(entry.file_size())});
    }
  }

  dbackup::DumpResult dump(dbackup::Call& call, const dbackup::DumpRequest& request,
                           dbackup::Writer& out) override {
    std::ifstream file{path_of(request.database), std::ios::binary};
    if (!file) throw dbackup::system_error(errno, "cannot open \"" + request.database + "\"");
    const auto block = std::make_unique<Block>();
    for (uint64_t done = 0;;) {
      call.check_cancelled();  // once per block
      file.read(reinterpret_cast<char*>(block->data()),
                static_cast<std::streamsize>(block->size()));
      const auto size = static_cast<size_t>(file.gcount());
      if (size == 0) break;
      out.write(std::span{*block}.first(size));
      done += size;
      call.progress(done, 0);
    }
    // Returning is the promise that the dump is complete, so look once more before making it.
    if (file.bad()) throw Error{ErrorCode::DataLoss, "cannot read \"" + request.database + "\""};
    return {};
  }

  void restore(dbackup::Call& call, const dbackup::RestoreRequest& request,
               dbackup::Reader& in) override {
    const fs::path target = path_of(request.database);
    const Unfinished beside{target.string() + ".restoring"};
    {
      std::ofstream file{beside.path, std::ios::binary | std::ios::trunc};
      const auto block = std::make_unique<Block>();
      uint64_t done = 0;
      while (const size_t size = in.read(*block)) {  // an error of the stream is thrown here
        call.check_cancelled();
        file.write(reinterpret_cast<const char*>(block->data()),
                   static_cast<std::streamsize>(size));
        done += size;
        call.progress(done, 0);
      }
      call.check_cancelled();
      file.flush();
      if (!file)
        throw Error{ErrorCode::ResourceExhausted, "cannot write \"" + beside.path.string() + "\""};
    }
    fs::rename(beside.path, target);  // all or nothing: that is what atomic_restore declares
  }

 private:
  struct Unfinished {
    fs::path path;
    ~Unfinished() {
      std::error_code ignored;
      fs::remove(path, ignored);
    }
  };

  fs::path path_of(const std::string& database) const {
    if (database.empty() || database.find('/') != std::string::npos || database.starts_with('.')) {
      throw Error{ErrorCode::InvalidArgument, "\"" + database + "\" is no file name"};
    }
    return folder_ / database;
  }

  fs::path folder_;
};

}  // namespace

// 4. The one exported symbol.
DBACKUP_PLUGIN("org.example.files", "Example files", "1.0.0",
               dbackup::source<ExampleSource>(kInfo, kCapabilities))
