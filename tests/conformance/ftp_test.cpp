#include "plugin_under_test.hpp"
#include "remote_storage_cases.hpp"
#include "tests/support/ftp_server.hpp"

namespace dbackup::testing {
namespace {

using Tls = FtpServer::Tls;

Json config_of(const FtpServer& server) {
  return {{"host", "localhost"},           {"port", server.port()}, {"username", server.username()},
          {"password", server.password()}, {"pathPrefix", "/"},     {"caFile", server.ca_file()}};
}

template <Tls kTls, bool kFacts>
class Proftpd {
 public:
  static constexpr const char* kPlugin = "ftp";
  static constexpr bool kAtomic = false;

  Json config() const {
    Json out = config_of(server_);
    if (kTls == Tls::Explicit) out["tls"] = true;
    if (kTls == Tls::Implicit) out["tlsMode"] = "implicit";
    return out;
  }
  Json unreachable_config() const {
    Json out = config();
    out["port"] = free_port();
    return out;
  }
  std::filesystem::path root() const { return server_.root(); }
  void kill() { server_.kill(); }
  void restart() { server_.restart(); }
  static std::vector<uint64_t> sizes() {
    return {0, 1, 65536, 65537, 512 * 1024, 512 * 1024 + 1, 5'000'000};
  }

 private:
  FtpServer server_{{.tls = kTls, .facts = kFacts}};
};

using Plain = Proftpd<Tls::None, true>;
using WithoutFacts = Proftpd<Tls::None, false>;
using ExplicitTls = Proftpd<Tls::Explicit, true>;
using ImplicitTls = Proftpd<Tls::Implicit, true>;
INSTANTIATE_TYPED_TEST_SUITE_P(Ftp, RemoteStorage, Plain);

TEST(Ftp, DoesWhatEveryStoragePromisesWithoutMachineReadableLists) {
  const WithoutFacts server;
  const StorageBench bench{"ftp", server.config()};
  EXPECT_TRUE(conforms(bench.adapter(), {.config = server.config()}));
  EXPECT_EQ(files_below(server.root()), 0U) << "the checks left something behind";
}

template <class Server>
void use_by_tls() {
  const Server server;
  const StorageBench bench{"ftp", server.config()};
  EXPECT_TRUE(bench.test().ok()) << bench.test().text();
  for (const uint64_t size : {0U, 1U, 3'000'000U}) {
    const std::string path = "Größe #1/" + std::to_string(size);
    FakeCall call;
    GeneratedReader in{size};
    const Outcome stored = bench.put(call, path, in);
    ASSERT_TRUE(stored.ok()) << stored.text();
    FakeCall reading;
    ComparingWriter out{size / 3};
    EXPECT_TRUE(bench.get(reading, {{"path", path}, {"offset", size / 3}}, out).ok());
    EXPECT_TRUE(out.equal() && out.size() == size - size / 3);
  }
  FakeCall call;
  MemoryReader broken{std::string(1'000'000, 'x'), {.fail_at_call = 3, .most_bytes = 200'000}};
  EXPECT_FALSE(bench.put(call, "broken", broken).ok());
  EXPECT_EQ(bench.paths().size(), 3U);
  EXPECT_EQ(files_below(server.root()), 3U);
}

TEST(Ftp, StoresByExplicitTls) { use_by_tls<ExplicitTls>(); }

TEST(Ftp, StoresByTlsFromTheFirstByte) { use_by_tls<ImplicitTls>(); }

TEST(Ftp, RefusesACertificateItCannotCheckUnlessToldOtherwise) {
  const FtpServer server{{.tls = Tls::Explicit}};
  Json config = config_of(server);
  config["tls"] = true;
  config.erase("caFile");
  EXPECT_EQ(StorageBench("ftp", config).test().status, DBACKUP_FAILED_PRECONDITION);
  config["tlsVerify"] = false;
  EXPECT_TRUE(StorageBench("ftp", config).test().ok());
  config["tlsVerify"] = true;
  config["caFile"] = server.ca_file();
  config["host"] = "127.0.0.1";  // the certificate names "localhost"
  EXPECT_EQ(StorageBench("ftp", config).test().status, DBACKUP_FAILED_PRECONDITION);
}

TEST(Ftp, DoesNotFallBackToAnUnencryptedConnection) {
  const FtpServer server{{}};
  Json config = config_of(server);
  config["tlsMode"] = "explicit";
  EXPECT_EQ(StorageBench("ftp", config).test().status, DBACKUP_FAILED_PRECONDITION);
}

TEST(Ftp, NamesTheAccountOfARefusedLoginAndNotItsPassword) {
  const FtpServer server{{}};
  Json config = config_of(server);
  config["password"] = "wrong-secret";
  const Outcome outcome = StorageBench("ftp", config).test();
  EXPECT_EQ(outcome.status, DBACKUP_UNAUTHENTICATED) << outcome.text();
  EXPECT_NE(outcome.message.find("refuses the login of \"backup\""), std::string::npos);
  EXPECT_EQ((outcome.message + outcome.detail).find("wrong-secret"), std::string::npos);
}

TEST(Ftp, MakesAMissingPrefixWithTheFirstBackupAndOnlyThen) {
  const FtpServer server{{}};
  Json config = config_of(server);
  config["pathPrefix"] = "data/my backups";
  const StorageBench bench{"ftp", config};
  const Outcome pinged = bench.ping();
  EXPECT_EQ(pinged.status, DBACKUP_NOT_FOUND) << pinged.text();
  EXPECT_NE(pinged.message.find("no \"/data/my backups\""), std::string::npos) << pinged.message;
  EXPECT_FALSE(std::filesystem::exists(server.root() / "data"));
  ASSERT_TRUE(bench.put("job/a.sql", "x").ok());
  EXPECT_TRUE(std::filesystem::exists(server.root() / "data/my backups/job/a.sql"));
  EXPECT_EQ(bench.paths(), std::set<std::string>{"job/a.sql"});
}

TEST(Ftp, SaysWhetherTheServerGivesExactTimes) {
  const FtpServer exact{{}};
  EXPECT_EQ(StorageBench("ftp", config_of(exact)).test().result.at("message"),
            "Connection successful (Write/Delete verified). The server supports MLSD");
  const FtpServer old{{.facts = false}};
  EXPECT_EQ(
      StorageBench("ftp", config_of(old)).test().result.at("message"),
      "Connection successful (Write/Delete verified). The server does not support MLSD: times "
      "of files are taken from their names");
}

TEST(Ftp, NamesAFolderItCannotLookInto) {
  for (const bool facts : {true, false}) {
    const FtpServer server{{.facts = facts}};
    std::filesystem::create_directories(server.root() / "closed");
    std::filesystem::create_directories(server.root() / "open");
    std::ofstream{server.root() / "closed/a.sql"} << "x";
    std::filesystem::permissions(server.root() / "closed", std::filesystem::perms::owner_all);
    std::ofstream{server.root() / "open/b.sql"} << "x";
    const StorageBench bench{"ftp", config_of(server)};
    FakeCall call;
    ItemList items;
    const Outcome outcome = bench.list(call, "", items);
    ASSERT_TRUE(outcome.ok()) << outcome.text();
    ASSERT_EQ(items.items().size(), 2U);
    for (const Json& item : items.items()) {
      EXPECT_EQ(item.value("unreadable", false), item.at("path") == "closed") << item;
    }
  }
}

TEST(Ftp, TakesTimesFromNamesWhereTheServerGivesNone) {
  const FtpServer server{{.facts = false}};
  const StorageBench bench{"ftp", config_of(server)};
  ASSERT_TRUE(bench.put("job/shop_2024-02-29_23-59-58.sql.gz", "x").ok());
  FakeCall call;
  ItemList items;
  ASSERT_TRUE(bench.list(call, "", items).ok());
  ASSERT_EQ(items.items().size(), 1U);
  EXPECT_EQ(items.items()[0].at("modifiedMs"), 1'709'251'198'000);
}

TEST(Ftp, LogsInAnonymouslyWithoutAnAccount) {
  const FtpServer server{{.anonymous = true}};
  const StorageBench bench{"ftp", {{"host", "127.0.0.1"}, {"port", server.port()}}};
  ASSERT_TRUE(bench.put("a.sql", "x").ok()) << bench.test().text();
  EXPECT_EQ(bench.content("a.sql"), "x");
}

TEST(Ftp, RefusesNamesThatWouldBeAnotherCommand) {
  const FtpServer server{{}};
  const StorageBench bench{"ftp", config_of(server)};
  ASSERT_TRUE(bench.put("kept", "x").ok());
  for (const char* name : {"a\r\nDELE kept", "a\nDELE kept", "a\rb"}) {
    EXPECT_EQ(bench.put(name, "x").status, DBACKUP_INVALID_ARGUMENT);
    EXPECT_EQ(bench.stat(name).status, DBACKUP_INVALID_ARGUMENT);
    EXPECT_EQ(bench.remove(name).status, DBACKUP_INVALID_ARGUMENT);
  }
  EXPECT_EQ(bench.content("kept"), "x");
}

}  // namespace
}  // namespace dbackup::testing
