// The replica's side of a full synchronisation: https://redis.io/docs/latest/operate/oss_and_stack/
// management/replication/ and the comments of replication.c are what it follows.
#include "replication.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "crc64.hpp"

namespace dbackup::redis {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr size_t kMarkBytes = 40;
constexpr int kFirstVersionWithChecksum = 5;

Error refused(const Reply& reply, const std::string& user) {
  if (!reply.is_error("NOPERM")) return error_of(reply, "the server gives no dump");
  const std::string who = user.empty() ? "default" : user;
  return Error{ErrorCode::PermissionDenied,
               "user \"" + who +
                   "\" may not take a dump: it needs +psync and +replconf (ACL SETUSER " + who +
                   " +psync +replconf)",
               reply.text};
}

/// The next line that says something: servers send bare newlines while they prepare.
std::string next_line(Client& client) {
  while (true) {
    std::string line = client.receive_line();
    if (!line.empty()) return line;
  }
}

/// Everything that makes the copy better and may be unknown to the server.
void introduce(const Call& call, Client& client, const ServerInfo& info) {
  const Reply reply = client.ask({"REPLCONF", "capa", "eof"});
  if (reply.is_error()) {
    call.warning("the server takes no REPLCONF: it writes the dump to its own disk first");
    return;
  }
  client.ask({"REPLCONF", "rdb-only", "1"});  // from 7.0: nothing is buffered for us afterwards
  // Valkey writes an older format, without what is new in it, for replicas that do not say this.
  if (info.is_valkey()) client.ask({"REPLCONF", "version", info.version});
}

/// Asks for the copy; the line that announces it: "$<size>" or "$EOF:<mark>".
std::string request_copy(Client& client, const std::string& user) {
  client.queue({"PSYNC", "?", "-1"});
  client.flush();
  std::string line = next_line(client);
  if (line.starts_with("-NOPERM") || line.starts_with("-ERR unknown command")) {
    client.queue({"SYNC"});
    client.flush();
    line = next_line(client);
  } else if (line.starts_with("+FULLRESYNC")) {
    line = next_line(client);
  }
  if (line.starts_with('-')) {
    Reply reply;
    reply.kind = Reply::Kind::Error;
    reply.text = line.substr(1);
    throw refused(reply, user);
  }
  if (!line.starts_with('$')) {
    throw Error{ErrorCode::DataLoss, client.where() + " does not answer as a Redis server does"};
  }
  return line.substr(1);
}

/// The bytes of the copy, always held back as far as they could be its end.
class Copy {
 public:
  Copy(const Call& call, Client& client, Writer& out) : call_{call}, client_{client}, out_{out} {}

  void of_size(uint64_t size) {
    for (uint64_t left = size; left > 0;) {
      left -= receive(static_cast<size_t>(std::min<uint64_t>(left, kBlock)));
      pass_on(RdbWatch::kTailBytes, size);
    }
    finish();
  }
  void until(std::string_view mark) {
    while (true) {
      receive(kBlock);
      const std::string_view all{block_.data(), have_};
      if (all.ends_with(mark)) break;  // nothing may follow it before a replica has answered
      pass_on(RdbWatch::kTailBytes + kMarkBytes, 0);
    }
    have_ -= mark.size();
    pass_on(RdbWatch::kTailBytes, 0);
    finish();
  }

 private:
  size_t receive(size_t most) {
    const size_t n = client_.receive_some(std::span{block_}.subspan(have_, most));
    if (n == 0) {
      throw Error{ErrorCode::Unavailable,
                  client_.where() + " ended the connection in the middle of the dump"};
    }
    have_ += n;
    return n;
  }
  void pass_on(size_t keep, uint64_t total) {
    if (have_ <= keep) return;
    const size_t n = have_ - keep;
    watch_.body({block_.data(), n});
    write(n);
    std::memmove(block_.data(), block_.data() + n, keep);
    have_ = keep;
    call_.progress(done_, total);
  }
  void finish() {
    const std::string_view tail{block_.data(), have_};
    watch_.tail(tail);
    if (!watch_.has_checksum(tail)) {
      call_.warning(
          "the server makes no checksums (rdbchecksum no): only the dump's end was checked");
    }
    write(have_);
    call_.progress(done_, done_);
  }
  void write(size_t n) {
    out_.write(std::string_view{block_.data(), n});
    done_ += n;
  }

  Call call_;
  Client& client_;
  Writer& out_;
  RdbWatch watch_;
  std::vector<char> block_ = std::vector<char>(kBlock + RdbWatch::kTailBytes + kMarkBytes);
  size_t have_ = 0;
  uint64_t done_ = 0;
};

uint64_t load_le64(std::string_view bytes) {
  uint64_t out = 0;
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

}  // namespace

std::optional<RdbHead> read_rdb_head(std::string_view nine) noexcept {
  RdbHead out{.is_valkey = nine.starts_with("VALKEY")};
  if (nine.size() != RdbWatch::kHeadBytes || (!out.is_valkey && !nine.starts_with("REDIS"))) {
    return {};
  }
  const std::string_view digits = nine.substr(out.is_valkey ? 6 : 5);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.version);
  if (error != std::errc{} || end != digits.data() + digits.size() || out.version < 1) return {};
  return out;
}

void RdbWatch::body(std::string_view bytes) {
  if (head_.size() < kHeadBytes) {
    head_.append(bytes.substr(0, kHeadBytes - head_.size()));
    if (head_.size() == kHeadBytes) {
      const auto head = read_rdb_head(head_);
      if (!head) throw Error{ErrorCode::DataLoss, "what the server sent is no RDB file"};
      if (head->version < kFirstVersionWithChecksum) {
        throw Error{ErrorCode::FailedPrecondition,
                    "the server is too old: its dumps have no checksum"};
      }
    }
  }
  crc_ = crc64(crc_, bytes);
}

bool RdbWatch::has_checksum(std::string_view tail) const noexcept {
  return load_le64(tail.substr(1)) != 0;
}

void RdbWatch::tail(std::string_view bytes) const {
  if (head_.size() < kHeadBytes || bytes.size() != kTailBytes || bytes.front() != '\xFF') {
    throw Error{ErrorCode::DataLoss, "the dump that the server sent is cut off"};
  }
  if (has_checksum(bytes) && load_le64(bytes.substr(1)) != crc64(crc_, bytes.substr(0, 1))) {
    throw Error{ErrorCode::DataLoss, "the dump that the server sent has a wrong checksum"};
  }
}

void stream_snapshot(const Call& call, Client& client, const ServerInfo& info,
                     const std::string& user, Writer& out) {
  introduce(call, client, info);
  const std::string announced = request_copy(client, user);
  Copy copy{call, client, out};
  if (announced.starts_with("EOF:") && announced.size() == 4 + kMarkBytes) {
    copy.until(std::string_view{announced}.substr(4));
    return;
  }
  uint64_t size = 0;
  const auto [end, error] =
      std::from_chars(announced.data(), announced.data() + announced.size(), size);
  if (error != std::errc{} || end != announced.data() + announced.size()) {
    throw Error{ErrorCode::DataLoss, client.where() + " announced a dump of no size"};
  }
  copy.of_size(size);
}

}  // namespace dbackup::redis
