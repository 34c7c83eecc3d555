#include "worker/plugin/plugin_library.hpp"

#include <elf.h>
#include <gmock/gmock.h>

#include <cstddef>
#include <fstream>

#include "base/error.hpp"
#include "tests/unit/worker_ops/plugin_fixture.hpp"
#include "tests/support/paths.hpp"

namespace dbackup::test {
namespace {

using host::Error;
using host::ErrorCode;
using host::PluginLibrary;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::string broken(const std::string& name) {
  return ::dbackup::test::binary_dir() + "/lib/worker-test-plugins" "/dbackup_broken_" + name + ".so";
}

/// The error's text; every refusal names the file.
std::string refusal(const std::string& path) {
  RecordingJournal journal;
  try {
    PluginLibrary::load(path, journal);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(fs::path{path}.filename().string()));
    return error.what();
  }
  return "loaded";
}

std::string copy_of_probe(const TemporaryFolder& folder) {
  const std::string path = folder / "copy.so";
  fs::copy_file(kProbe, path);
  fs::permissions(path, fs::perms::owner_all);
  return path;
}

template <class T>
void overwrite(const std::string& path, std::streamoff at, T value) {
  std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
  file.seekp(at);
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
}

TEST(PluginLibrary, LoadsAPluginAndLogsOneLineWithFileAndVersions) {
  TemporaryFolder folder;
  const std::string path = copy_of_probe(folder);
  RecordingJournal journal;
  const PluginLibrary& library = PluginLibrary::load(path, journal);
  EXPECT_EQ(library.plugin_id(), "org.dbackup.test.probe");
  EXPECT_EQ(library.label(), "plugin \"Probe\" (org.dbackup.test.probe 1.2.3)");
  EXPECT_EQ(library.adapters().size(), 2U);
  ASSERT_EQ(journal.lines().size(), 1U);
  EXPECT_THAT(journal.lines()[0], AllOf(HasSubstr(path), HasSubstr("1.2.3"), HasSubstr("ABI 1.")));
  EXPECT_EQ(&PluginLibrary::load(path, journal), &library);
  EXPECT_EQ(journal.lines().size(), 1U);
}

TEST(PluginLibrary, NamesTheAdapterThatIsMissing) {
  RecordingJournal journal;
  try {
    PluginLibrary::load(kProbe, journal).adapter("absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("absent"), HasSubstr("Probe")));
  }
}

TEST(PluginLibrary, RefusesAMissingSymbol) {
  EXPECT_THAT(refusal(broken("no_symbol")), HasSubstr("dbackup_plugin"));
}

TEST(PluginLibrary, RefusesAnotherMajorNamingBothVersions) {
  EXPECT_THAT(refusal(broken("major")), AllOf(HasSubstr("42.7"), HasSubstr("needs 1.x")));
}

TEST(PluginLibrary, RefusesAShortEntry) {
  EXPECT_THAT(refusal(broken("short")), HasSubstr("12 bytes"));
}

TEST(PluginLibrary, RefusesAnUndefinedSymbolByItsName) {
  EXPECT_THAT(refusal(broken("undefined")), HasSubstr("this_function_is_nowhere"));
}

TEST(PluginLibrary, RefusesATruncatedFile) {
  for (const double part : {0.01, 0.5, 0.99}) {
    TemporaryFolder folder;
    const std::string path = copy_of_probe(folder);
    fs::resize_file(path, static_cast<uintmax_t>(static_cast<double>(fs::file_size(path)) * part));
    EXPECT_THAT(refusal(path), HasSubstr("truncated")) << part;
  }
}

TEST(PluginLibrary, RefusesAFileThatIsNoLibrary) {
  TemporaryFolder folder;
  for (const std::string content : {"", "x", "this is not a library at all"}) {
    const std::string path = folder / "text.so";
    std::ofstream{path} << content;
    EXPECT_THAT(refusal(path), HasSubstr("ELF"));
  }
  EXPECT_THAT(refusal(folder / "absent.so"), HasSubstr("No such file"));
}

TEST(PluginLibrary, RefusesAnotherMachineNamingBoth) {
  TemporaryFolder folder;
  const std::string path = copy_of_probe(folder);
  overwrite(path, offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_S390});
  EXPECT_THAT(refusal(path), HasSubstr("S/390"));
  overwrite(path, EI_CLASS, uint8_t{ELFCLASS32});
  EXPECT_THAT(refusal(path), HasSubstr("32-bit"));
}

TEST(PluginLibrary, RefusesFilesAndFoldersThatOthersCanWrite) {
  TemporaryFolder folder;
  const std::string path = copy_of_probe(folder);
  fs::permissions(path, fs::perms::group_write, fs::perm_options::add);
  EXPECT_THAT(refusal(path), HasSubstr("the file is writable by group or others"));
  fs::permissions(path, fs::perms::owner_all);
  fs::permissions(folder.path(), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(refusal(path), AllOf(HasSubstr("folder"), HasSubstr("writable")));
}

}  // namespace
}  // namespace dbackup::test
