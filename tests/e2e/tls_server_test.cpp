#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tests/support/dbackup_server.hpp"

/// The program with https switched on, and with its limits in force.
namespace dbackup::testing {
namespace {

DBackupServer::Options with(std::map<std::string, std::string> environment) {
  return {.environment = std::move(environment)};
}

void make_pair(const TempFolder& folder, const std::string& name) {
  const auto made = run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                 "-nodes", "-days", "30", "-subj", "/CN=" + name, "-addext",
                                 "subjectAltName=IP:127.0.0.1", "-keyout", folder / (name + ".key"), "-out",
                                 folder / (name + ".crt")});
  ASSERT_EQ(made.first, 0);
}

std::string fingerprint_served(const DBackupServer& server) {
  const auto shown = run_program({"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(server.port())});
  const auto text = run_program({"openssl", "x509", "-noout", "-fingerprint", "-sha256"}, shown.second).second;
  const size_t equals = text.find('=');
  return equals == std::string::npos ? "" : text.substr(equals + 1, 95);
}

std::string upload(const DBackupServer& server, const std::string& certificate, const std::string& key) {
  return run_program({"curl", "-sS", "--cacert", (server.data_dir() / "private/tls.pem").string(), "-X", "PUT", "-H",
                      "Authorization: Bearer " + server.key(), "-F", "certificate=@" + certificate, "-F",
                      "privateKey=@" + key, server.url() + "/api/settings/certificate"})
      .second;
}

TEST(HttpsServer, MakesItsOwnCertificateAndTellsBrowsersToInsist) {
  DBackupServer server{with({{"DBACKUP_TLS_ENABLED", "true"}})};
  const Answer health = server.get("/api/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.headers.at("strict-transport-security"), "max-age=31536000; includeSubDomains");
  struct stat info {};
  ASSERT_EQ(::stat((server.data_dir() / "private/tls.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  const Json about = server.get("/api/settings/certificate").json()["data"];
  EXPECT_EQ(about["isSelfSigned"], true);
  EXPECT_EQ(about["isHttpsEnabled"], true);
  EXPECT_GE(about["daysRemaining"].get<int>(), 395);
  const std::string first = fingerprint_served(server);
  EXPECT_EQ(first, about["fingerprint"].get<std::string>());
  server.stop();
  server.start();
  EXPECT_EQ(fingerprint_served(server), first) << "the certificate stays over a restart";
}

TEST(HttpsServer, TakesAnUploadedCertificateWithoutRestart) {
  DBackupServer server{with({{"DBACKUP_TLS_ENABLED", "true"}})};
  TempFolder folder;
  make_pair(folder, "mine");
  make_pair(folder, "other");
  const std::string before = fingerprint_served(server);
  const Json refused = Json::parse(upload(server, folder / "mine.crt", folder / "other.key"), nullptr, false);
  EXPECT_EQ(refused["success"], false) << refused;
  EXPECT_NE(refused["error"].get<std::string>().find("privateKey"), std::string::npos);
  EXPECT_EQ(fingerprint_served(server), before);

  const Json taken = Json::parse(upload(server, folder / "mine.crt", folder / "mine.key"), nullptr, false);
  ASSERT_EQ(taken["success"], true) << taken;
  EXPECT_EQ(taken["data"]["subject"], "CN=mine");
  EXPECT_EQ(fingerprint_served(server), taken["data"]["fingerprint"].get<std::string>());
  const Answer again = server.post("/api/settings/certificate/regenerate");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(fingerprint_served(server), again.json()["data"]["fingerprint"].get<std::string>());
  EXPECT_EQ(server.log().find("PRIVATE KEY"), std::string::npos);
}

TEST(HttpsServer, ReadsConfiguredFilesAgainOnSighup) {
  TempFolder folder;
  make_pair(folder, "one");
  make_pair(folder, "two");
  std::filesystem::copy_file(folder / "one.crt", folder / "tls.crt");
  std::filesystem::copy_file(folder / "one.key", folder / "tls.key");
  DBackupServer::Options options = with({{"DBACKUP_TLS_ENABLED", "true"},
                                         {"DBACKUP_TLS_CERTIFICATE_FILE", folder / "tls.crt"},
                                         {"DBACKUP_TLS_KEY_FILE", folder / "tls.key"}});
  options.ca_file = folder / "tls.crt";
  DBackupServer server{options};
  const std::string before = fingerprint_served(server);
  EXPECT_EQ(server.post("/api/settings/certificate/regenerate").status, 409) << "pinned by the configuration";

  std::ofstream{folder / "tls.crt"} << "nonsense";
  ::kill(server.pid(), SIGHUP);
  EXPECT_TRUE(wait_until([&] { return server.log().find("the certificate stays as it was") != std::string::npos; }));
  EXPECT_EQ(fingerprint_served(server), before);

  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(folder / "two.crt", folder / "tls.crt", over);
  std::filesystem::copy_file(folder / "two.key", folder / "tls.key", over);
  ::kill(server.pid(), SIGHUP);
  EXPECT_TRUE(wait_until([&] { return fingerprint_served(server) != before; }));
  EXPECT_EQ(server.get("/api/health").status, 200);
}

TEST(LimitedServer, RefusesTooManyRequestsAndSaysWhenToComeAgain) {
  DBackupServer server{with({{"DBACKUP_RATE_LIMITS_ENABLED", "true"}, {"DBACKUP_RATE_LIMITS_MUTATION_POINTS", "3"}})};
  Answer answer;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(server.post("/api/jobs/unknown/run").status, 404);
  answer = server.post("/api/jobs/unknown/run");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.json()["success"], false);
  EXPECT_GE(std::stoi(answer.headers.at("retry-after")), 1);
  EXPECT_EQ(answer.headers.at("x-frame-options"), "DENY");
  EXPECT_EQ(server.get("/api/jobs").status, 200);
  const Json limits = server.get("/api/internal/rate-limit-config").json();
  EXPECT_EQ(limits["mutation"]["points"], 3);
  EXPECT_EQ(limits["api"]["duration"], 60);
}

}  // namespace
}  // namespace dbackup::testing
