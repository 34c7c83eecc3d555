#include "tests/support/smtp_server.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tests/support/paths.hpp"

namespace dbackup::testing {
namespace {

// Debian's own, whatever else is in PATH: the module is one of its packages.
constexpr const char* kPython = "/usr/bin/python3";

std::string content_of(const std::filesystem::path& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

bool SmtpServer::installed() {
  return std::filesystem::exists("/usr/lib/python3/dist-packages/aiosmtpd");
}

SmtpServer::SmtpServer(const std::vector<std::string>& words) {
  const std::string folder = process_.folder().string();
  process_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                folder + "/key.pem", "-out", folder + "/cert.pem"});
  certificate_ = content_of(process_.folder() / "cert.pem");
  for (int tries = 0; tries < 5; ++tries) {
    port_ = free_port();
    std::vector<std::string> argv{kPython, test::source_dir() + "/tests/support/smtp_server.py",
                                  std::to_string(port_)};
    argv.insert(argv.end(), words.begin(), words.end());
    if (process_.start_listening(argv, port_)) return;
  }
  throw std::runtime_error{"the SMTP server does not start: " + process_.log_tail()};
}

std::vector<nlohmann::json> SmtpServer::messages() const {
  std::vector<nlohmann::json> out;
  for (;;) {
    const auto path = process_.folder() / (std::to_string(out.size()) + ".json");
    if (!std::filesystem::exists(path)) return out;
    out.push_back(nlohmann::json::parse(content_of(path)));
  }
}

}  // namespace dbackup::testing
