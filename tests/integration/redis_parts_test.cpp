#include <gtest/gtest.h>

#include <dbackup/testing/fakes.hpp>

#include "plugins/redis/crc64.hpp"
#include "plugins/redis/key_reader.hpp"
#include "plugins/redis/rdb_reader.hpp"
#include "plugins/redis/server.hpp"

// What no Redis server of this machine can show: other versions, other products, damaged files.

namespace dbackup::redis {
namespace {

using namespace std::string_literals;

TEST(RedisCrc64, IsThatOfTheSpecification) {
  EXPECT_EQ(crc64(0, "123456789"), 0xe9c6d914c4b8d9caU);
  EXPECT_EQ(crc64(crc64(0, "12345678901234"), "567"), crc64(0, "12345678901234567"));
}

TEST(RedisInfo, TellsValkeyFromRedis) {
  const ServerInfo valkey = ServerInfo::parse(
      "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\n"
      "# Replication\r\nrole:master\r\n# Cluster\r\ncluster_enabled:0\r\n"
      "# Keyspace\r\ndb0:keys=12,expires=1,avg_ttl=0\r\ndb15:keys=1,expires=0\r\n");
  EXPECT_TRUE(valkey.is_valkey());
  EXPECT_EQ(valkey.version, "8.1.3");
  EXPECT_EQ(valkey.major(), 8);
  EXPECT_EQ(valkey.keys, (std::map<int64_t, int64_t>{{0, 12}, {15, 1}}));
  const ServerInfo redis =
      ServerInfo::parse("redis_version:6.2.1\r\nloading:1\r\ncluster_enabled:1");
  EXPECT_FALSE(redis.is_valkey());
  EXPECT_EQ(redis.version, "6.2.1");
  EXPECT_TRUE(redis.loading);
  EXPECT_TRUE(redis.in_cluster);
}

TEST(RedisServerInfo, KnowsTheNewestFormatOfEachSeries) {
  const auto newest = [](const std::string& product, const std::string& version) {
    return ServerInfo{.product = product, .version = version}.newest_rdb_version();
  };
  for (const auto& [version, format] : std::map<std::string, int>{{"2.8.24", 6},
                                                                  {"3.0.7", 6},
                                                                  {"3.2.13", 7},
                                                                  {"4.0.14", 8},
                                                                  {"5.0.14", 9},
                                                                  {"6.2.14", 9},
                                                                  {"7.0.15", 10},
                                                                  {"7.2.4", 11},
                                                                  {"7.4.0", 12},
                                                                  {"8.0.1", 12},
                                                                  {"9.0.0", 0}}) {
    EXPECT_EQ(newest("Redis", version), format) << version;
  }
  EXPECT_EQ(newest("Valkey", "7.2.5"), 11);
  EXPECT_EQ(newest("Valkey", "8.1.3"), 11);
  EXPECT_EQ(newest("Valkey", "9.0.0"), 0) << "theirs are numbered by themselves";
}

TEST(RedisSettings, AnythingButOneNumberIsDatabaseZero) {
  const auto database = [](Json value) {
    return Settings::from(Config{Json{{"database", std::move(value)}}}).database;
  };
  EXPECT_EQ(database(3), 3);
  EXPECT_EQ(database("7"), 7);
  for (const Json& other :
       {Json(""), Json("a"), Json("1,2"), Json::array(), Json{"1", "2"}, Json()}) {
    EXPECT_EQ(database(other), 0) << other;
  }
}

TEST(RedisSettings, SentinelsAreTextOrAList) {
  const auto nodes = [](Json value) {
    std::string out;
    const Json config{
        {"mode", "sentinel"}, {"sentinelMasterName", "m"}, {"sentinelNodes", std::move(value)}};
    for (const Address& one : Settings::from(Config{config}).sentinels) out += one.text() + " ";
    return out;
  };
  EXPECT_EQ(nodes("a:1, b ,10.0.0.1:26380"), "a:1 b:26379 10.0.0.1:26380 ");
  EXPECT_EQ(nodes(Json{"[::1]:7", "fe80::1"}), "[::1]:7 [fe80::1]:26379 ");
  for (const char* bad : {"a:0", "a:x", "[::1", ":5", "a:70000", ""}) {
    EXPECT_THROW(nodes(bad), Error) << bad;
  }
}

TEST(RedisLzf, UnpacksRunsAndRefusesDamage) {
  // "abc", then nine bytes from three back: abcabcabcabc.
  EXPECT_EQ(unpack_lzf("\x02"
                       "abc\xE0\x00\x02"s,
                       12),
            "abcabcabcabc");
  EXPECT_FALSE(
      unpack_lzf("\x02"
                 "abc\xE0\x00\x02"s,
                 11));
  EXPECT_FALSE(
      unpack_lzf("\x02"
                 "ab"s,
                 3));
  EXPECT_FALSE(unpack_lzf("\x20\x05"s, 3));
}

TEST(RedisSearch, EscapesEveryCharacterOfPatterns) {
  EXPECT_EQ(glob_escaped("a*?[^]-\\"), "a\\*\\?\\[\\^\\]\\-\\\\");
}

/// Remembers what it was given.
struct Seen final : RdbParts {
  void head(const RdbHead& head) override { text += std::to_string(head.version) + ";"; }
  void about(const std::string& name, const std::string& value) override {
    text += name + "=" + value + ";";
  }
  void function(std::string& payload) override { text += "function " + payload + ";"; }
  void module_data(const std::string& module) override { text += "module " + module + ";"; }
  bool wants(const RdbKey&) override { return true; }
  void value(const RdbKey& key, std::string& payload) override {
    text += std::to_string(key.database) + "/" + key.name + "@" +
            (key.expires_ms ? std::to_string(*key.expires_ms) : "-") + ":" +
            std::to_string(payload.size()) + ";";
  }
  std::string text;
};

/// `parts` with their end and checksum, read; the error's code as text when it fails.
std::string read(const std::string& parts, size_t cut = 0) {
  std::string file = parts + "\xFF";
  const uint64_t sum = crc64(0, file);
  file.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  file.resize(file.size() - cut);
  testing::FakeCall call;
  testing::MemoryReader in{file, {.most_bytes = 1}};
  Reader reader{in.raw()};
  Seen seen;
  try {
    read_rdb(call.call(), reader, 1024, seen);
  } catch (const Error& error) {
    return "error " + std::to_string(static_cast<int>(error.code()));
  }
  return seen.text;
}

TEST(RedisRdb, ReadsWhatOldAndNewServersWrite) {
  EXPECT_EQ(read("REDIS0006\xFE\x00"
                 "\xFD\x01\x00\x00\x00\x00\x01k\x01v"s),
            "6;0/k@1000:3;");
  EXPECT_EQ(read("REDIS0003\xFE\x02\x01\x01l\x01\x01x"s, 8), "3;2/l@-:4;");  // before checksums
  // A set with scores as text: 1.5, infinity and no number.
  EXPECT_EQ(read("REDIS0008\x03\x01z\x03\x01"
                 "a\x03"
                 "1.5\x01"
                 "b\xFE\x01"
                 "c\xFD"s),
            "8;0/z@-:14;");
  // Fields that expire: as Redis 7.4 and as Valkey 9 write them under the same number.
  EXPECT_EQ(read("REDIS0012\x18\x01h\x01\x02\x03\x04\x05\x06\x07\x08\x01\x05\x01"
                 "f\x01v"s),
            "12;0/h@-:15;");
  EXPECT_EQ(read("VALKEY080\x16\x01h\x01\x01"
                 "f\x01v\x01\x02\x03\x04\x05\x06\x07\x08"s),
            "80;0/h@-:14;");
  // A module's value and what it keeps beside the keys.
  EXPECT_EQ(read("REDIS0010\xF7\x81\x00\x00\x00\x00\x00\x00\x00\x01\x02\x02\x05\x01x\x00"s),
            "10;module AAAAAAAAA;");
  EXPECT_EQ(read("REDIS0010\x07\x01m\x01\x02\x05\x04\x01\x02\x03\x04\x05\x06\x07\x08\x00"s),
            "10;0/m@-:14;");
}

TEST(RedisRdb, RefusesWhatItDoesNotKnowAndWhatIsTooLarge) {
  EXPECT_EQ(read("REDIS0013\x1A\x01k\x01v"s), "error 12");  // a type of later versions
  EXPECT_EQ(read("REDIS0010\xF6\x01x"s), "error 12");       // functions before their release
  EXPECT_EQ(read("REDIS0010\xF3\x01x"s), "error 12");
  EXPECT_EQ(read("REDIS0010"s + "\x00\x01k\x44\x00"s + std::string(1024, 'v')), "error 8");
  EXPECT_EQ(read("REDISxxxx"), "error 3");
  EXPECT_EQ(read("REDIS0010\x00\x01k\xC5v"s), "error 15");  // no such encoding
  EXPECT_EQ(read("REDIS0010\x00\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFk"s),
            "error 15");  // a name of 2^64 bytes
  EXPECT_EQ(read("REDIS0010\x00\x01k\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFv"s), "error 15");
}

TEST(RedisRdb, EveryCutIsNoticed) {
  const std::string parts =
      "REDIS0010\xFA\x03ver\x01x\xFE\x00\xFB\x01\x00\x00\x01k\x01v\xF5\x03lib\x04\x01h\x01\x01"
      "f\x01v"s;
  EXPECT_EQ(read(parts), "10;ver=x;0/k@-:3;function \xF5\x03lib;0/h@-:6;");
  for (size_t cut = 1; cut < parts.size(); ++cut) {
    EXPECT_TRUE(read(parts, cut).starts_with("error ")) << "without the last " << cut << " bytes";
  }
}

TEST(RedisWatch, TakesAWholeFileAndNothingElse) {
  std::string file = "REDIS0010\xFE\x00\xFF"s;
  const uint64_t sum = crc64(0, file);
  file.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  const auto whole = [](const std::string& bytes) {
    RdbWatch watch;
    const size_t tail = std::min(bytes.size(), RdbWatch::kTailBytes);
    try {
      watch.body(std::string_view{bytes}.substr(0, bytes.size() - tail));
      watch.tail(std::string_view{bytes}.substr(bytes.size() - tail));
    } catch (const Error&) {
      return false;
    }
    return true;
  };
  EXPECT_TRUE(whole(file));
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(whole(damaged)) << i;
    EXPECT_FALSE(whole(file.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace dbackup::redis
