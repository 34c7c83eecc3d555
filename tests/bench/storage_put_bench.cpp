// Stores its standard input by a storage plugin, as a worker would, and prints the peak of its
// memory:
//   dbackup_storage_put_bench PLUGIN ADAPTER CONFIG_FILE PATH <file
#include <unistd.h>

#include <cerrno>
#include <dbackup/testing/adapter.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

namespace {

/// Gives what comes by the standard input.
struct StandardInput {
  static int64_t read(void*, void* buffer, uint64_t size) noexcept {
    while (true) {
      const ssize_t n = ::read(STDIN_FILENO, buffer, size);
      if (n >= 0) return n;
      if (errno != EINTR) return -static_cast<int64_t>(DBACKUP_ABORTED);
    }
  }
  dbackup_reader reader{sizeof(dbackup_reader), nullptr, &read};
  const dbackup_reader* raw() const noexcept { return &reader; }
};

std::string peak_memory() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return line.substr(line.find_first_of("0123456789"));
  }
  return "?";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace dbackup::testing;
  if (argc != 5) {
    std::cerr << "usage: " << argv[0] << " PLUGIN ADAPTER CONFIG_FILE PATH\n";
    return 2;
  }
  const PluginFile plugin{argv[1]};
  const dbackup_adapter& adapter = plugin.adapter(argv[2]);
  std::ifstream file{argv[3]};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  Outcome outcome;
  const auto storage =
      StorageInstance::open(*table_of<dbackup_storage>(adapter, DBACKUP_EXT_STORAGE),
                            with_defaults(adapter, dbackup::Json::parse(text)), outcome);
  if (outcome.ok()) {
    FakeCall call;
    StandardInput in;
    outcome = storage.run(storage.table().put, call, {{"path", argv[4]}, {"token", "bench"}}, in);
  }
  if (!outcome.ok()) {
    std::cerr << outcome.text() << "\n";
    return 1;
  }
  std::cout << peak_memory() << "\n";
}
