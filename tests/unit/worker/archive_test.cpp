#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/hash.hpp"
#include "pipeline_support.hpp"
#include "worker/format/archive_reader.hpp"
#include "worker/format/archive_writer.hpp"
#include "worker/format/codec.hpp"

namespace dbackup::host {
namespace {

using namespace test;

struct Dump {
  std::string name, content;
};

std::string archive_of(const std::vector<Dump>& dumps, Compression compression,
                       std::string* index_sha256 = nullptr) {
  const CancelToken token;
  ArchiveInfo info{.created_at = 1'790'000'000'000,
                   .source_type = "postgres",
                   .engine_version = "15.8",
                   .extension = "dump",
                   .compression = compression};
  for (const Dump& dump : dumps) info.databases.push_back(dump.name);
  Received out;
  CollectSink sink{out};
  ArchiveWriter archive{sink, std::move(info)};
  for (const Dump& dump : dumps) {
    const auto chain = archive.begin(dump.name, {.threads = 2}, token);
    write_split(*chain, dump.content, 300'000);
    chain->finish();
  }
  const std::string index = archive.finish();
  if (index_sha256 != nullptr) *index_sha256 = index;
  return std::move(out.bytes);
}

FetchRange reading(const std::string& stored) {
  return [&stored](uint64_t offset, uint64_t length, ByteSink& sink) {
    sink.write(bytes_of(stored).subspan(offset, length));
    sink.finish();
  };
}

std::string read_back(const std::string& stored, const std::string& name) {
  const ArchiveReader reader{stored.size(), reading(stored)};
  const ArchiveEntry& entry = reader.entry(name);
  Received out;
  const SinkPtr chain = codec(entry.compression).decompressor(std::make_unique<CollectSink>(out));
  reader.read(entry, *chain);
  EXPECT_TRUE(out.finished);
  return std::move(out.bytes);
}

ErrorCode failure_of(const std::string& stored, const std::string& name) {
  try {
    read_back(stored, name);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{};
}

TEST(Archive, GivesBackEachDatabaseAroundTheSizeOfAPart) {
  const std::vector<Dump> dumps{{"empty", ""},
                                {"one", "x"},
                                {"a part", random_text(kArchivePartBytes)},
                                {"a part and one", random_text(kArchivePartBytes + 1)},
                                {"three parts", random_text(2 * kArchivePartBytes + 5)}};
  const std::string stored = archive_of(dumps, Compression::None);
  for (const Dump& dump : dumps) {
    EXPECT_EQ(sha256_hex(read_back(stored, dump.name)), sha256_hex(dump.content)) << dump.name;
  }
  const ArchiveReader reader{stored.size(), reading(stored)};
  EXPECT_EQ(reader.entry("a part").parts.size(), 1U);
  EXPECT_EQ(reader.entry("a part and one").parts.size(), 2U);
  EXPECT_EQ(failure_of(stored, "other"), ErrorCode::NotFound);
}

TEST(Archive, CompressesEachDatabaseByItself) {
  for (const Compression compression :
       {Compression::Zstd, Compression::Gzip, Compression::Brotli}) {
    const std::string stored = archive_of({{"a", dump_like(3'000'000)}, {"b", dump_like(10)}}, compression);
    EXPECT_LT(stored.size(), 2'000'000U);
    EXPECT_EQ(read_back(stored, "a"), dump_like(3'000'000));
    EXPECT_EQ(read_back(stored, "b"), dump_like(10));
  }
}

TEST(Archive, OpensWithTarAndZstdAlone) {
  const std::string odd = "a/b%c .d\xC3\xA4";  // a slash, a percent sign, a letter outside ASCII
  const std::string long_name(150, 'n');
  const std::vector<Dump> dumps{{"orders", random_text(kArchivePartBytes + 77)},
                                {odd, dump_like(1000)},
                                {".hidden", dump_like(20)},
                                {long_name, dump_like(30)}};
  std::string folder = (std::filesystem::temp_directory_path() / "dbackup-archive-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream{folder + "/x.tar", std::ios::binary} << archive_of(dumps, Compression::Zstd);
  const std::string command = "cd '" + folder + "' && tar -xf x.tar && cd databases && "
      "cat orders.dump.zst.* | zstd -dq > orders && zstd -dq 'a%2Fb%25c .d\xC3\xA4.dump.zst' -o odd && "
      "zstd -dq %2Ehidden.dump.zst -o hidden && zstd -dq n*.dump.zst -o long";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto file = [&](const std::string& name) {
    std::ifstream in{folder + "/databases/" + name, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{in}, {}};
  };
  EXPECT_EQ(sha256_hex(file("orders")), sha256_hex(dumps[0].content));
  EXPECT_EQ(file("odd"), dumps[1].content);
  EXPECT_EQ(file("hidden"), dumps[2].content);
  EXPECT_EQ(file("long"), dumps[3].content);
  std::filesystem::remove_all(folder);
}

TEST(Archive, IsRefusedWhenItIsCutOrDamaged) {
  const std::string stored = archive_of({{"a", random_text(100'000)}, {"b", random_text(50)}}, Compression::None);
  for (const size_t left : {size_t{0}, size_t{100}, stored.size() / 2, stored.size() - 512, stored.size() - 1}) {
    EXPECT_EQ(failure_of(stored.substr(0, left), "a"), ErrorCode::DataLoss) << left;
  }
  std::string damaged = stored;
  const ArchiveReader reader{stored.size(), reading(stored)};
  damaged[reader.entry("a").parts[0].offset + 50'000] ^= 1;
  EXPECT_EQ(failure_of(damaged, "a"), ErrorCode::DataLoss);
  EXPECT_EQ(read_back(damaged, "b"), read_back(stored, "b"));
}

TEST(Archive, OfAnotherBackupIsRefusedByItsIndex) {
  std::string index, other;
  const std::string stored = archive_of({{"a", "genuine"}}, Compression::None, &index);
  const std::string forged = archive_of({{"a", "changed"}}, Compression::None, &other);
  EXPECT_NE(index, other);
  EXPECT_NO_THROW((ArchiveReader{stored.size(), reading(stored), index}));
  try {
    const ArchiveReader reader{forged.size(), reading(forged), index};
    ADD_FAILURE() << "a whole archive with other content";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DataLoss);
  }
}

TEST(Archive, NamesADatabaseThatIsGivenTwice) {
  EXPECT_THROW(archive_of({{"a", ""}, {"a", ""}}, Compression::None), Error);
}

}  // namespace
}  // namespace dbackup::host
