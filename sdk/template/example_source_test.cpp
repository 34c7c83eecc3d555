// Runs the conformance checks over the built plugin: example_source_test <example-source.so>

#include <stdlib.h>

#include <cstdio>
#include <dbackup/testing/conformance.hpp>
#include <dbackup/testing/plugin_file.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::string pattern = std::filesystem::temp_directory_path() / "example-source-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  std::ofstream{folder / "orders"} << std::string(3'000'000, 'o');

  const dbackup::testing::PluginFile plugin{argv[1]};
  const auto findings = dbackup::testing::check_adapter(
      plugin.adapter("example-files"),
      {.config = dbackup::Json{{"folder", folder.string()}},
       .database = "orders",
       .restore_database = "restored",
       .fingerprint = [&](const std::string& database) { return content_of(folder / database); },
       .any_bytes_are_a_dump = true});
  for (const auto& finding : findings)
    std::printf("%s: %s\n", finding.check.c_str(), finding.sentence.c_str());

  std::filesystem::remove_all(folder);
  return findings.empty() ? 0 : 1;
}
