#include "tests/support/webdav_server.hpp"

#include <fstream>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

}  // namespace

WebdavServer::WebdavServer(Options options) : options_{std::move(options)} {
  process_.run({"/bin/mkdir", "-p", root().string(), (process_.folder() / "run").string()});
  if (options_.tls) {
    process_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=DNS:localhost", "-keyout",
                  (process_.folder() / "key.pem").string(), "-out", ca_file()});
  }
  process_.run(
      {"/bin/sh", "-c",
       "printf '%s:%s\\n' \"$1\" \"$(openssl passwd -1 \"$2\")\" > basic && "
       "printf '%s:test:%s\\n' \"$1\" \"$(printf '%s:test:%s' \"$1\" \"$2\" | md5sum | cut "
       "-c1-32)\" > digest",
       "sh", username(), password()});
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts; ++i) {
    port_ = free_port();
    if (start()) return;
  }
  throw std::runtime_error{"Apache did not start: " + process_.log_tail()};
}

std::string WebdavServer::url() const {
  return std::string{options_.tls ? "https" : "http"} + "://localhost:" + std::to_string(port_) +
         "/dav files";
}

std::string WebdavServer::configuration() const {
  const std::string folder = process_.folder().string();
  std::string text;
  for (const char* module :
       {"mpm_event", "authn_core", "authz_core", "authn_file", "authz_user", "auth_basic",
        "auth_digest", "alias", "dav", "dav_fs", "dir", "ssl", "reqtimeout"}) {
    text += std::string{"LoadModule "} + module + "_module /usr/lib/apache2/modules/mod_" + module +
            ".so\n";
  }
  text += "ServerName localhost\nServerRoot " + folder + "\nPidFile " + folder +
          "/run/pid\nDefaultRuntimeDir " + folder + "/run\nMutex pthread\nErrorLog " + folder +
          "/error.log\nLogLevel warn\nListen 127.0.0.1:" + std::to_string(port_) +
          "\nStartServers 1\nServerLimit 2\nThreadsPerChild 25\nMaxRequestWorkers 50\n"
          "DocumentRoot " +
          folder + "/run\nDavLockDB " + folder +
          "/run/locks\nAllowEncodedSlashes NoDecode\nRequestReadTimeout body=0\n"
          "Alias \"/dav files\" \"" +
          root().string() + "\"\nRedirect /moved http://127.0.0.1:1/\n";
  if (options_.tls) {
    text += "SSLEngine on\nSSLCertificateFile " + folder + "/ca.pem\nSSLCertificateKeyFile " +
            folder + "/key.pem\nSSLSessionCache none\n";
  }
  text += "<Directory \"" + root().string() + "\">\nDav On\n";
  if (options_.auth == Auth::Basic) {
    text += "AuthType Basic\nAuthName test\nAuthBasicProvider file\nAuthUserFile " + folder +
            "/basic\nRequire valid-user\n";
  } else if (options_.auth == Auth::Digest) {
    text += "AuthType Digest\nAuthName test\nAuthDigestProvider file\nAuthUserFile " + folder +
            "/digest\nRequire valid-user\n";
  } else {
    text += "Require all granted\n";
  }
  return text + options_.more + "</Directory>\n";
}

bool WebdavServer::start() {
  std::error_code ignored;
  fs::remove(process_.folder() / "run/pid", ignored);
  const std::string config = process_.write("apache.conf", configuration());
  return process_.start_listening({"/usr/sbin/apache2", "-DFOREGROUND", "-f", config}, port_);
}

void WebdavServer::kill() { process_.kill_family(); }

void WebdavServer::restart() {
  if (!start()) throw std::runtime_error{"Apache did not start again: " + process_.log_tail()};
}

}  // namespace dbackup::testing
