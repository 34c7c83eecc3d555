#include "tests/support/child_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace dbackup::testing {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

/// True once for each port among all tests of this machine that live at a time: between the choice of
/// a port and the server that listens there, and while it is restarted, nothing else says whose it is.
bool claim(int port) {
  const fs::path folder = fs::temp_directory_path() / "dbackup-test-ports";
  std::error_code ignored;
  fs::create_directory(folder, ignored);
  fs::permissions(folder, fs::perms::all, ignored);  // tests of several accounts
  const std::string file = (folder / std::to_string(port)).string();
  const int fd = open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return true;  // somewhere that keeps no files: as before
  // The lock is held for as long as the process lives.
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  close(fd);
  return false;
}

int unused_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error{"no free port"};
  return ntohs(address.sin_port);
}

}  // namespace

int free_port() {
  for (int tries = 0; tries < 1000; ++tries) {
    if (const int port = unused_port(); claim(port)) return port;
  }
  throw std::runtime_error{"no free port that no other test has"};
}

bool accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

ChildServer::ChildServer(const std::string& name, const std::string& account) {
  std::string path = (fs::temp_directory_path() / ("dbackup-" + name + "-XXXXXX")).string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
  folder_ = path;
  uid_ = geteuid();
  gid_ = getegid();
  if (uid_ != 0 || account.empty()) return;
  const passwd* found = getpwnam(account.c_str());
  if (found == nullptr) found = getpwnam("nobody");
  if (found == nullptr) throw std::runtime_error{"no unprivileged user to run the server"};
  uid_ = found->pw_uid;
  gid_ = found->pw_gid;
  if (chown(path.c_str(), uid_, gid_) != 0) throw std::runtime_error{"cannot give " + path + " away"};
}

ChildServer::~ChildServer() {
  kill();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string ChildServer::log_tail() const {
  std::ifstream file{log_file()};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  constexpr size_t kMost = 2000;
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

bool ChildServer::running() {
  if (pid_ <= 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

std::string ChildServer::write(const std::string& name, const std::string& content,
                               unsigned mode) const {
  const fs::path path = folder_ / name;
  fs::create_directories(path.parent_path());
  std::ofstream{path} << content;
  if (chmod(path.c_str(), mode) != 0 || chown(path.c_str(), uid_, gid_) != 0) {
    throw std::runtime_error{"cannot set the rights of " + path.string()};
  }
  return path.string();
}

pid_t ChildServer::spawn(const std::vector<std::string>& argv) const {
  std::vector<char*> args;
  for (const auto& word : argv) args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  std::string home = "HOME=" + folder_.string();
  std::array environment{const_cast<char*>("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"),
                         const_cast<char*>("LC_ALL=C.UTF-8"), home.data(),
                         static_cast<char*>(nullptr)};
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int out = open(log_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(out, 1);
  dup2(out, 2);
  close_range(3, ~0U, 0);
  if (geteuid() == 0 && uid_ != 0 &&
      (setgroups(0, nullptr) != 0 || setgid(gid_) != 0 || setuid(uid_) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which would clear it
  if (chdir(folder_.c_str()) != 0) _exit(126);
  execve(args[0], args.data(), environment.data());
  _exit(127);
}

void ChildServer::run(const std::vector<std::string>& argv) const {
  if (wait_for(spawn(argv)) != 0) throw std::runtime_error{argv.front() + " failed: " + log_tail()};
}

bool ChildServer::start(const std::vector<std::string>& argv, const std::function<bool()>& ready) {
  pid_ = spawn(argv);
  const auto deadline = Clock::now() + std::chrono::seconds{60};
  while (Clock::now() < deadline) {
    if (!running()) return false;
    if (ready()) return true;
    poll(nullptr, 0, 5);
  }
  kill();
  return false;
}

bool ChildServer::start_listening(const std::vector<std::string>& argv, int port) {
  return start(argv, [port] { return accepts(port); });
}

void ChildServer::stop(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  wait_for(pid_);
  pid_ = -1;
}

void ChildServer::kill_family() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGSTOP);  // no new children while the others are looked for
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const std::string number = entry.path().filename().string();
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file{entry.path() / "stat"};
    std::string line;
    std::getline(file, line);
    const size_t name_end = line.rfind(')');  // the name before it may hold blanks
    if (name_end == std::string::npos) continue;
    std::istringstream rest{line.substr(name_end + 1)};
    std::string state;
    pid_t parent = 0;
    rest >> state >> parent;
    if (parent == pid_) ::kill(static_cast<pid_t>(std::stol(number)), SIGKILL);
  }
  stop(SIGKILL);
}

}  // namespace dbackup::testing
