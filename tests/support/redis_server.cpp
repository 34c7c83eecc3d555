#include "tests/support/redis_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace dbackup::testing {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kDatabases = 16;

}  // namespace

std::string file_content(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string RedisAnswer::flat() const {
  if (items.empty()) return text + "\n";
  std::string out;
  for (const auto& item : items) out += item.flat();
  return out;
}

RedisCertificates RedisCertificates::make(const ChildServer& process, const std::string& names) {
  const std::string folder = process.folder().string() + "/";
  RedisCertificates out{folder + "ca.crt", folder + "server.crt", folder + "server.key",
                        folder + "client.crt", folder + "client.key"};
  const auto openssl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "/usr/bin/openssl");
    process.run(words);
  };
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
           "-days", "2", "-subj", "/CN=test authority", "-keyout", folder + "ca.key", "-out",
           out.authority});
  const auto issue = [&](const std::string& name, const std::string& extension) {
    const std::string base = folder + name;
    process.write(name + ".ext", extension);
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=" + name, "-keyout", base + ".key", "-out", base + ".csr"});
    openssl({"x509", "-req", "-in", base + ".csr", "-CA", out.authority, "-CAkey",
             folder + "ca.key", "-CAcreateserial", "-days", "2", "-extfile", base + ".ext", "-out",
             base + ".crt"});
  };
  issue("server", "subjectAltName=" + names + "\n");
  issue("client", "extendedKeyUsage=clientAuth\n");
  return out;
}

RedisServer::Socket::~Socket() {
  if (fd >= 0) close(fd);
}

bool RedisServer::installed() { return access("/usr/bin/redis-server", X_OK) == 0; }

RedisServer::RedisServer(Options options)
    : process_{"redis", "redis"}, options_{std::move(options)} {
  if (options_.tls) certificates_ = RedisCertificates::make(process_, options_.certificate_names);
  if (!options_.rdb.empty()) process_.write("dump.rdb", options_.rdb);
  constexpr int kAttempts = 5;  // the free port may be taken before the server has it
  for (int i = 0; i < kAttempts; ++i) {
    plain_port_ = free_port();
    port_ = options_.tls ? free_port() : plain_port_;
    std::string text =
        "bind 127.0.0.1\nport " + std::to_string(plain_port_) + "\ndir " + folder() + "\n";
    if (options_.tls) {
      text += "tls-port " + std::to_string(port_) + "\ntls-cert-file " + certificates_.server +
              "\ntls-key-file " + certificates_.server_key + "\ntls-ca-cert-file " +
              certificates_.authority + "\n";
    }
    if (!options_.sentinel) {
      // Without the delay, in which a server waits for more replicas before it begins.
      text += "save \"\"\nrepl-diskless-sync-delay 0\nenable-debug-command yes\n";
    }
    for (const auto& one : options_.settings) text += one + "\n";
    const std::string file = process_.write("redis.conf", text, 0600);
    std::vector<std::string> argv{"/usr/bin/redis-server", file};
    if (options_.sentinel) argv.emplace_back("--sentinel");
    if (process_.start_listening(argv, plain_port_)) {
      connect();
      // A server that still loads its file answers too.
      if (!options_.sentinel) wait_until({"INFO", "persistence"}, "\nloading:0");
      return;
    }
  }
  throw std::runtime_error{"the server did not start: " + process_.log_tail()};
}

void RedisServer::connect() {
  if (socket_.fd >= 0) close(socket_.fd);
  socket_.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(plain_port_));
  if (::connect(socket_.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error{"cannot connect to the server of the test"};
  }
}

void RedisServer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket_.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) throw std::runtime_error{"the server of the test is gone: " + log_tail()};
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

std::string RedisServer::line() {
  std::array<char, 65536> block;
  size_t end = 0;
  while ((end = in_.find("\r\n")) == std::string::npos) {
    const ssize_t n = recv(socket_.fd, block.data(), block.size(), 0);
    if (n <= 0) throw std::runtime_error{"the server of the test is gone: " + log_tail()};
    in_.append(block.data(), static_cast<size_t>(n));
  }
  std::string out = in_.substr(0, end);
  in_.erase(0, end + 2);
  return out;
}

RedisAnswer RedisServer::receive() {
  const std::string head = line();
  RedisAnswer out{.is_error = head[0] == '-', .text = head.substr(1)};
  const bool is_nil = head == "$-1" || head == "*-1";
  if (is_nil) {
    out.text = "(nil)";
  } else if (head[0] == '*') {
    for (int left = std::stoi(out.text); left > 0; --left) out.items.push_back(receive());
    out.text.clear();
  } else if (head[0] == '$') {
    const size_t size = std::stoul(out.text);
    std::array<char, 65536> block;
    while (in_.size() < size + 2) {
      const ssize_t n = recv(socket_.fd, block.data(), block.size(), 0);
      if (n <= 0) throw std::runtime_error{"the server of the test is gone: " + log_tail()};
      in_.append(block.data(), static_cast<size_t>(n));
    }
    out.text = in_.substr(0, size);
    in_.erase(0, size + 2);
  }
  return out;
}

RedisAnswer RedisServer::ask(const std::vector<std::string>& words) {
  std::string out = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  try {
    send(out);
    return receive();
  } catch (const std::runtime_error&) {
    if (!process_.running()) throw;
    in_.clear();  // a server ends its connections when it becomes a master
    connect();
    send(out);
    return receive();
  }
}

std::string RedisServer::run(const std::vector<std::string>& words) {
  const RedisAnswer answer = ask(words);
  if (answer.is_error) throw std::runtime_error{words.front() + ": " + answer.text};
  return answer.items.empty() ? answer.text : answer.flat();
}

bool RedisServer::wait_until(const std::vector<std::string>& words, std::string_view wanted) {
  const auto deadline = Clock::now() + std::chrono::seconds{20};
  while (ask(words).flat().find(wanted) == std::string::npos) {
    if (Clock::now() > deadline) return false;
    poll(nullptr, 0, 10);
  }
  return true;
}

std::string RedisServer::fingerprint(int database) {
  select(database);
  RedisAnswer keys = ask({"KEYS", "*"});
  std::sort(keys.items.begin(), keys.items.end(),
            [](const auto& a, const auto& b) { return a.text < b.text; });
  std::string out;
  for (const auto& key : keys.items) {
    const std::string type = run({"TYPE", key.text});
    std::string encoding = run({"OBJECT", "ENCODING", key.text});
    if (encoding == "raw") encoding = "embstr";  // which of both depends on how it was written
    out += key.text + " " + type + " " + encoding + " " + run({"PEXPIRETIME", key.text}) + " " +
           run({"DEBUG", "DIGEST-VALUE", key.text});
    if (type == "stream") out += run({"XINFO", "STREAM", key.text, "FULL", "COUNT", "0"});
    out += "\n";
  }
  select(0);
  return out;
}

std::string RedisServer::fingerprint() {
  std::string out;
  for (int i = 0; i < kDatabases; ++i) out += "# " + std::to_string(i) + "\n" + fingerprint(i);
  return out + run({"FUNCTION", "LIST", "WITHCODE"});
}

}  // namespace dbackup::testing
