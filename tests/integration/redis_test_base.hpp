#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/integration/source_bench.hpp"
#include "tests/support/redis_server.hpp"

namespace dbackup::testing {

inline Json redis_config(const RedisServer& server) {
  return {{"host", "127.0.0.1"}, {"port", server.port()}};
}

/// Each test has its own two servers: one to back up, one to restore into.
class Redis : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!RedisServer::installed()) GTEST_SKIP() << "no Redis server is installed";
  }

  RedisServer server_;
  SourceBench source_{"redis", redis_config(server_)};

  /// Every type in every encoding, with names and values that a careless program would break.
  static void fill(RedisServer& server);
  /// Enough that neither pipe nor socket buffers hide what happens in the middle.
  static void populate(RedisServer& server, int keys, int bytes) {
    server.run({"CONFIG", "SET", "rdbcompression", "no"});
    server.run({"DEBUG", "POPULATE", std::to_string(keys), "big", std::to_string(bytes)});
  }
  static bool logged(const FakeCall& call, const std::string& text) {
    const auto lines = call.log_lines();
    return std::any_of(lines.begin(), lines.end(), [&](const LogLine& line) {
      return line.text.find(text) != std::string::npos;
    });
  }
};

inline std::string noise(size_t size) {
  std::string out;
  uint64_t state = 88172645463325252;  // xorshift: what does not compress
  while (out.size() < size) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    out.append(reinterpret_cast<const char*>(&state), sizeof(state));
  }
  out.resize(size);
  return out;
}

inline void Redis::fill(RedisServer& server) {
  const std::string far = "4102444800123";  // 2100-01-01, with milliseconds
  server.run({"CONFIG", "SET", "list-max-listpack-size", "-2"});
  const auto set = [&](const std::string& key, const std::string& value) {
    server.run({"SET", key, value});
  };
  set("int8", "-7");
  set("int16", "12345");
  set("int32", "-2000000000");
  set("int64", "9223372036854775807");
  set("embstr", "short");
  set("raw", std::string(64, 'r') + "end");
  set("lzf", std::string(5000, 'z') + "middle" + std::string(5000, 'z'));
  set("large", noise(3'000'000));
  set("empty value", "");
  set("", "the key without a name");
  set(std::string{"nul\0\r\n\xFF\xFE key", 12}, std::string{"\0\r\n$-1\r\n\xFF", 9});
  set("blank and 'quotes' \"double\" \\back", "1");
  set("\xE6\x95\xB0\xE6\x8D\xAE\xE5\xBA\x93 \xF0\x9F\x98\x80 Z\xC3\xBCrich", "\xF0\x9F\x98\x80");
  set(std::string(4000, 'k'), "a name that is stored compressed");
  set("-1234", "a name that is stored as a number");
  set("expires", "later");
  server.run({"PEXPIREAT", "expires", far});
  set("idle", "long ago");
  for (int i = 0; i < 3000; ++i) server.run({"RPUSH", "quicklist", "item " + std::to_string(i)});
  server.run({"RPUSH", "plain nodes", noise(700'000), "small", std::string(900'000, 'p')});
  server.run({"RPUSH", "short list", "", "a", "-5", "\xFF"});
  server.run({"SADD", "intset", "1", "-70000", "9223372036854775807"});
  server.run({"SADD", "small set", "a", "b", std::string{"\0", 1}});
  server.run({"ZADD", "small zset", "1.5", "a", "-inf", "b", "+inf", "c", "3e-320", "d"});
  server.run({"HSET", "small hash", "f", "v", "", "empty field", "n", "17"});
  server.run(
      {"HSET", "large hash", "f", std::string(100, 'v'), "\xF0\x9F\x98\x80", noise(600'000)});
  for (int i = 0; i < 700; ++i) {
    const std::string n = std::to_string(i);
    server.run({"SADD", "hashtable set", "member " + n});
    server.run({"ZADD", "skiplist", std::to_string(i / 7.0), "member " + n});
    server.run({"HSET", "hashtable", "field " + n, std::string(70, 'x') + n});
    server.run({"XADD", "stream", std::to_string(1000 + i) + "-1", "f", "v" + n, "g", n});
  }
  server.run({"ZADD", "skiplist", "inf", "top", "-inf", "bottom"});
  server.run({"PEXPIREAT", "hashtable", far});
  server.run({"XDEL", "stream", "1003-1", "1699-1"});
  server.run({"XGROUP", "CREATE", "stream", "group one", "0", "ENTRIESREAD", "0"});
  server.run({"XGROUP", "CREATE", "stream", "group two", "1500-1"});
  server.run({"XREADGROUP", "GROUP", "group one", "ann", "COUNT", "5", "STREAMS", "stream", ">"});
  server.run({"XREADGROUP", "GROUP", "group one", "bob", "COUNT", "3", "STREAMS", "stream", ">"});
  server.run({"XACK", "stream", "group one", "1001-1"});
  server.run({"XGROUP", "CREATE", "empty stream", "g", "$", "MKSTREAM"});
  server.run({"PFADD", "hll", "a", "b", "c"});
  server.run({"SETBIT", "bits", "100000", "1"});
  server.run({"GEOADD", "geo", "8.54", "47.37", "Z\xC3\xBCrich"});
  server.select(3);
  set("in three", "3");
  server.select(15);
  set("in fifteen", "15");
  server.run({"SET", "soon", "x", "PXAT", far});
  server.select(0);
  server.run({"FUNCTION", "LOAD",
              "#!lua name=mylib\nredis.register_function('f', function() return 'ok' end)"});
}

}  // namespace dbackup::testing
