#include "base/log_masking.hpp"

#include <gtest/gtest.h>

namespace dbackup::host {
namespace {

TEST(MaskedLog, HidesAddressesAndCredentials) {
  const std::pair<const char*, const char*> cases[] = {
      {"connected to 10.1.2.3:5432", "connected to [address]"},
      {"from 192.168.0.7.", "from [address]."},
      {"peer fe80::1 and 2001:db8:0:0:0:0:0:1, done", "peer [address] and [address], done"},
      {"could not reach db1.internal:5432: refused", "could not reach [address]: refused"},
      {"postgresql://admin:pw@db.example.net:5432/orders?sslmode=require&password=x",
       "postgresql://[address]/orders?[hidden]"},
      {"GET https://hooks.example.net/T1/B2?token=abc failed",
       "GET https://[address]/T1/B2?[hidden] failed"},
      {"password=hunter2 rest", "password=[hidden] rest"},
      {"PGPASSWORD='two words' next", "PGPASSWORD=[hidden] next"},
      {"secretAccessKey: abc, region: eu", "secretAccessKey: [hidden], region: eu"},
      {"api_key=\"k e y\";x", "api_key=[hidden];x"},
      {"Authorization: Basic dXNlcjpwYXNz", "Authorization: [hidden]"},
      {"sent Bearer abc.def", "sent Bearer [hidden]"},
      {"host=db1 user=backup dbname=orders", "host=[address] user=[address] dbname=orders"},
      {"mail to ops@example.net sent", "mail to [address] sent"},
      {"ssh backup@nas failed", "ssh [address] failed"},
      {"key 0123456789abcdef0123456789abcdef01234567 used", "key [hidden] used"},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(masked(line), expected) << line;
}

TEST(MaskedLog, KeepsWhatPeopleNeed) {
  for (const char* line : {
           "stored as \"Orders/Orders_2026-03-09_02-00-04.dump.zst\"",
           "2026-03-09T02:00:04.117Z 02:00:04 took 3.5 s",
           "PostgreSQL 16.4 (Debian 16.4-1), 25% of 1.5 GiB",
           "execution 0b9f6c1e-7a53-4d0e-9f55-2c1f7a1d3e90 ended: no room",
           "Dumping Databases completed",
           "a ratio of 3:1; error: exit status 2",
           "",
           "::",
           "\xC3\xA4\xC3\xB6\xC3\xBC \xF0\x9F\x92\xBE",
       }) {
    EXPECT_EQ(masked(line), line);
  }
}

TEST(MaskedLog, TakesAnyBytesOfAnyLength) {
  std::string odd;
  for (int i = 0; i < 256; ++i) odd += static_cast<char>(i);
  for (const std::string& part : {odd, std::string{"a:"}, std::string{"://"}, std::string{"=\""},
                                  std::string{"?"}, std::string{"@:"}}) {
    std::string line;
    for (int i = 0; i < 200; ++i) line += part;
    masked(line);
  }
}

}  // namespace
}  // namespace dbackup::host
