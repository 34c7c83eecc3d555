#include "tests/support/ftp_server.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

}  // namespace

FtpServer::FtpServer(Options options) : options_{options} {
  const passwd* nobody = getpwnam("nobody");
  if (nobody == nullptr) throw std::runtime_error{"no account to run FTP sessions as"};
  fs::create_directories(root());
  fs::permissions(process_.folder(),
                  fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  if (chown(root().c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
    throw std::runtime_error{"cannot give the FTP folder away"};
  }
  // The authority and a certificate it signed; ca.pem is what clients are to trust.
  const auto file = [&](const char* name) { return (process_.folder() / name).string(); };
  process_.run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", file("key.pem"), "-out",
                file("ca.pem")});
  fs::permissions(file("key.pem"), fs::perms::owner_read);
  process_.run({"/bin/sh", "-c",
                "printf '%s:%s:%s:%s::%s:/bin/false\\n' backup \"$(openssl passwd -1 \"$1\")\" " +
                    std::to_string(nobody->pw_uid) + " " + std::to_string(nobody->pw_gid) +
                    " \"$2\" > passwd && chmod 600 passwd",
                "sh", password(), root().string()});
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts; ++i) {
    port_ = free_port();
    if (start()) return;
  }
  throw std::runtime_error{"ProFTPD did not start: " + process_.log_tail()};
}

std::string FtpServer::configuration() const {
  const std::string folder = process_.folder().string();
  std::string text =
      "LoadModule mod_tls.c\n"
      "ServerType standalone\nServerName test\nDefaultAddress 127.0.0.1\nUseIPv6 off\n"
      "SocketBindTight on\nPort " +
      std::to_string(port_) +
      "\nUser nobody\nGroup nogroup\nUmask 022 022\nMaxInstances 60\nUseReverseDNS off\n"
      "WtmpLog off\nTransferLog none\nSystemLog " +
      folder + "/proftpd.log\nPidFile " + folder + "/pid\nScoreboardFile " + folder +
      "/scoreboard\nAuthOrder mod_auth_file.c mod_auth_unix.c\nUseFtpUsers off\nAuthUserFile " + folder +
      "/passwd\nRequireValidShell off\nDefaultRoot ~\nAllowOverwrite on\nAllowStoreRestart on\n"
      "TimeoutIdle 60\nDelayEngine off\nLangEngine on\nUseEncoding UTF-8 UTF-8\n";
  if (!options_.facts) text += "FactsAdvertise off\n<Limit MLSD MLST>\nDenyAll\n</Limit>\n";
  if (options_.tls != Tls::None) {
    text += "TLSEngine on\nTLSRequired on\nTLSRSACertificateFile " + folder +
            "/ca.pem\nTLSRSACertificateKeyFile " + folder + "/key.pem\nTLSECCertificateFile " +
            folder + "/ca.pem\nTLSECCertificateKeyFile " + folder + "/key.pem\nTLSLog " + folder +
            "/tls.log\nTLSVerifyClient off\n";
    if (options_.tls == Tls::Implicit) text += "TLSOptions UseImplicitSSL\n";
  }
  if (options_.anonymous) {
    text += "<Anonymous " + root().string() +
            ">\nUser nobody\nGroup nogroup\nUserAlias anonymous nobody\nRequireValidShell off\n"
            "</Anonymous>\n";
  }
  return text;
}

bool FtpServer::start() {
  const std::string config = process_.write("proftpd.conf", configuration());
  return process_.start_listening({"/usr/sbin/proftpd", "-n", "-q", "-c", config}, port_);
}

void FtpServer::kill() { process_.kill_family(); }

void FtpServer::restart() {
  if (!start()) throw std::runtime_error{"ProFTPD did not start again: " + process_.log_tail()};
}

}  // namespace dbackup::testing
