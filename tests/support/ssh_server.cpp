#include "tests/support/ssh_server.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string account_name() {
  const passwd* found = getpwuid(geteuid());
  if (found == nullptr) throw std::runtime_error{"the account of this process has no name"};
  return found->pw_name;
}

/// Parent and name of every process.
std::map<pid_t, std::pair<pid_t, std::string>> processes() {
  std::map<pid_t, std::pair<pid_t, std::string>> out;
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = read_all(entry.path() / "stat");
    const size_t open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    std::istringstream rest{text.substr(close + 2)};
    char state = 0;
    pid_t parent = 0;
    if (!(rest >> state >> parent) || state == 'Z') continue;
    out[std::stoi(name)] = {parent, text.substr(open + 1, close - open - 1)};
  }
  return out;
}

}  // namespace

std::vector<pid_t> descendants(pid_t of) {
  const auto all = processes();
  std::vector<pid_t> out;
  for (const auto& [pid, about] : all) {
    for (auto up = all.find(pid); up != all.end() && up->second.first > 1;
         up = all.find(up->second.first)) {
      if (up->second.first != of) continue;
      out.push_back(pid);
      break;
    }
  }
  return out;
}

SshServer::SshServer(const Options& options) : options_{options}, user_{account_name()} {
  if (geteuid() == 0) fs::create_directories("/run/sshd");  // of sshd's unprivileged half
  fs::create_directory(temporary_folder());
  make_host_keys();
  server_.run({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key_file()});
  key_ = read_all(key_file());
  let_in(read_all(key_file() + ".pub"));
  start();
}

void SshServer::make_host_keys() {
  for (const std::string& type : options_.host_key_types) {
    const std::string file = (folder() / ("host_" + type)).string();
    fs::remove(file);
    server_.run({"/usr/bin/ssh-keygen", "-q", "-t", type, "-N", "", "-f", file});
  }
}

void SshServer::start() {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    std::string config;
    for (const std::string& line : options_.lines) config += line + "\n";
    config += "ListenAddress 127.0.0.1:" + std::to_string(port_) +
              "\n"
              "AuthorizedKeysFile " +
              (folder() / "authorized_keys").string() +
              "\n"
              "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
              "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
              "MaxStartups 100:30:200\nLogLevel VERBOSE\nPrintMotd no\n"
              "Subsystem sftp internal-sftp\n";
    // The start files of the account are not the test's: they may take seconds.
    config += "SetEnv HOME=" + folder().string() + " TMPDIR=" + temporary_folder().string() + "\n";
    for (const std::string& type : options_.host_key_types) {
      config += "HostKey " + (folder() / ("host_" + type)).string() + "\n";
    }
    const std::string file = server_.write("sshd_config", config);
    if (server_.start_listening({"/usr/sbin/sshd", "-D", "-e", "-f", file}, port_)) return;
  }
  throw std::runtime_error{"sshd does not start: " + server_.log_tail()};
}

void SshServer::let_in(const std::string& public_key) {
  std::ofstream{folder() / "authorized_keys", std::ios::app} << public_key << "\n";
}

std::string SshServer::new_key(const std::vector<std::string>& arguments) {
  const std::string file = (folder() / ("key" + std::to_string(++keys_))).string();
  std::vector<std::string> argv{"/usr/bin/ssh-keygen", "-q", "-f", file};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  server_.run(argv);
  let_in(read_all(file + ".pub"));
  return file;
}

std::string SshServer::fingerprint(const std::string& type) const {
  const fs::path out = folder() / "fingerprint";
  server_.run({"/bin/sh", "-c",
               "ssh-keygen -l -E sha256 -f '" + (folder() / ("host_" + type)).string() + "' > '" +
                   out.string() + "'"});
  std::istringstream words{read_all(out)};
  std::string bits, hash;
  words >> bits >> hash;
  return hash;
}

std::vector<pid_t> SshServer::connection_processes() const {
  std::vector<pid_t> out;
  const auto all = processes();
  for (const pid_t pid : descendants(server_.pid())) {
    const auto found = all.find(pid);
    if (found != all.end() && found->second.second == "sshd") out.push_back(pid);
  }
  return out;
}

size_t SshServer::kill_connections() {
  const auto all = connection_processes();
  for (const pid_t pid : all) ::kill(pid, SIGKILL);
  return all.size();
}

void SshServer::change_host_keys() {
  server_.stop();
  make_host_keys();
  const int port = port_;
  start();
  // The same place must answer with another key.
  for (int attempt = 0; port_ != port && attempt < 5; ++attempt) {
    server_.stop();
    std::string config = read_all(folder() / "sshd_config");
    const std::string old = ":" + std::to_string(port_) + "\n";
    config.replace(config.find(old), old.size(), ":" + std::to_string(port) + "\n");
    const std::string file = server_.write("sshd_config", config);
    if (server_.start_listening({"/usr/sbin/sshd", "-D", "-e", "-f", file}, port)) port_ = port;
  }
}

bool PasswordAccount::possible() { return geteuid() == 0; }

PasswordAccount::PasswordAccount() : name_{"dbkt" + std::to_string(getpid())} {
  const ChildServer tools{"account"};
  const std::string file = tools.write("password", password_ + "\n", 0600);
  tools.run({"/bin/sh", "-c",
             "useradd -M -d /tmp -s /bin/sh -p \"$(openssl passwd -6 -stdin <'" + file + "')\" " +
                 name_});
}

PasswordAccount::~PasswordAccount() {
  try {
    const ChildServer tools{"account"};
    tools.run({"/usr/sbin/userdel", "-f", name_});
  } catch (const std::exception&) {  // an account without a home is left; nothing depends on it
  }
}

SshAgent::SshAgent(const std::string& key_file) {
  const std::string socket = (server_.folder() / "socket").string();
  if (!server_.start({"/usr/bin/ssh-agent", "-D", "-a", socket},
                     [&] { return fs::exists(socket); })) {
    throw std::runtime_error{"ssh-agent does not start: " + server_.log_tail()};
  }
  ::setenv("SSH_AUTH_SOCK", socket.c_str(), 1);
  server_.run({"/bin/sh", "-c", "SSH_AUTH_SOCK='" + socket + "' ssh-add -q '" + key_file + "'"});
}

SshAgent::~SshAgent() { ::unsetenv("SSH_AUTH_SOCK"); }

}  // namespace dbackup::testing
