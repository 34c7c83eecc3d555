#include "client.hpp"

#include <algorithm>
#include <cstring>

namespace dbackup::sftp {
namespace {

constexpr uint32_t kVersion = 3;
constexpr size_t kLargestPacket = 512 * 1024;  // OpenSSH sends 256 KiB at most
constexpr size_t kHeader = 4;
// Beside the bytes of a file, a packet holds its type, id, offset and handle (256 bytes at most).
constexpr size_t kOverhead = 1024;
constexpr size_t kLargestBlock = 255 * 1024;

Process open_subsystem(const Call& call, const std::string& server) {
  try {
    return Exec{call}.start_subsystem("sftp");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Unavailable) {
      throw Error{error.code(), "no SFTP connection to " + server, error.what()};
    }
    throw;
  }
}

}  // namespace

Client::Client(const Call& call, std::string server)
    : call_{call}, server_{std::move(server)}, process_{open_subsystem(call, server_)} {
  buffer_.resize(kLargestPacket + kHeader);
  greet();
  if (offers("limits@openssh.com")) learn_limits();
}

void Client::greet() {
  send(Packet{Type::Init}.u32(kVersion).take());
  fill(kHeader);
  const uint32_t length = Fields{{buffer_.data() + begin_, kHeader}}.u32();
  if (length < 5 || length > kLargestPacket) {
    // A shell's greeting in place of a packet: the first bytes are text.
    throw Error{ErrorCode::FailedPrecondition,
                server_ +
                    " does not speak SFTP: the account's login may print text or has no "
                    "SFTP subsystem"};
  }
  fill(kHeader + length);
  Fields in{{buffer_.data() + begin_ + kHeader, length}};
  begin_ += kHeader + length;
  if (static_cast<Type>(in.u8()) != Type::Version || in.u32() < kVersion) {
    throw Error{ErrorCode::FailedPrecondition, server_ + " does not speak version 3 of SFTP"};
  }
  while (!in.empty()) {
    extensions_.emplace(in.text());
    in.text();  // its version
  }
}

void Client::learn_limits() {
  const uint32_t id = next_id();
  send(Packet{Type::Extended, id}.text("limits@openssh.com").take());
  const Reply reply = receive(id);
  if (reply.type != Type::ExtendedReply) return;
  // max-packet-length, max-read-length, max-write-length, max-open-handles; 0 = not said.
  Fields in{reply.body};
  const uint64_t packet = in.u64();
  const uint64_t read = in.u64();
  const uint64_t write = in.u64();
  const auto fit = [&](uint64_t wanted, size_t fallback) {
    if (wanted == 0) return fallback;
    if (packet > kOverhead) wanted = std::min(wanted, packet - kOverhead);
    return static_cast<size_t>(std::clamp<uint64_t>(wanted, 1024, kLargestBlock));
  };
  largest_read_ = fit(read, largest_read_);
  largest_write_ = fit(write, largest_write_);
}

void Client::lost() {
  throw Error{ErrorCode::Unavailable, "the SFTP server " + server_ + " ended the connection"};
}

void Client::send(std::string_view packet) {
  try {
    if (!process_.write(std::as_bytes(std::span{packet.data(), packet.size()}))) lost();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Internal || error.code() == ErrorCode::Aborted) lost();
    throw;
  }
}

void Client::fill(size_t wanted) {
  if (end_ - begin_ >= wanted) return;
  if (begin_ + wanted > buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < wanted) {
    size_t n = 0;
    try {
      n = process_.read(
          std::as_writable_bytes(std::span{buffer_.data() + end_, buffer_.size() - end_}));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Internal || error.code() == ErrorCode::Aborted) lost();
      throw;
    }
    if (n == 0) lost();
    end_ += n;
  }
}

Reply Client::receive() {
  fill(kHeader);
  const uint32_t length = Fields{{buffer_.data() + begin_, kHeader}}.u32();
  if (length < 5 || length > kLargestPacket) {
    throw Error{ErrorCode::Unavailable, "the SFTP server " + server_ + " sent a broken packet"};
  }
  fill(kHeader + length);
  const std::string_view packet{buffer_.data() + begin_ + kHeader, length};
  begin_ += kHeader + length;
  Fields in{packet};
  const auto type = static_cast<Type>(in.u8());
  const uint32_t id = in.u32();
  return {type, id, packet.substr(5)};
}

Reply Client::receive(uint32_t id) {
  for (;;) {
    const Reply reply = receive();
    if (reply.id == id) return reply;
  }
}

Reply Client::ask(Type type, std::string_view path) {
  const uint32_t id = next_id();
  send(Packet{type, id}.text(path).take());
  return receive(id);
}

Code Client::status_of(const Reply& reply) {
  if (reply.type != Type::Status) {
    throw Error{ErrorCode::Unavailable, "the SFTP server answered something else than was asked"};
  }
  return static_cast<Code>(Fields{reply.body}.u32());
}

std::optional<Attributes> Client::attributes(Type type, const std::string& path) {
  const Reply reply = ask(type, path);
  if (reply.type == Type::Attributes) {
    Fields in{reply.body};
    return Attributes::read(in);
  }
  const Code code = status_of(reply);
  if (code == Code::NoSuchFile) return std::nullopt;
  throw failure(code, "cannot look at \"" + path + "\"");
}

std::string Client::real_path(const std::string& path) {
  const Reply reply = ask(Type::RealPath, path);
  if (reply.type != Type::Name) throw failure(status_of(reply), "cannot resolve \"" + path + "\"");
  Fields in{reply.body};
  if (in.u32() < 1) throw failure(Code::Failure, "cannot resolve \"" + path + "\"");
  return std::string{in.text()};
}

std::string Client::expect_handle(const Reply& reply, const std::string& what) {
  if (reply.type != Type::Handle) throw failure(status_of(reply), what);
  return std::string{Fields{reply.body}.text()};
}

void Client::close(const std::string& handle) {
  expect_ok(ask(Type::Close, handle), "cannot close a file");
}

void Client::expect_ok(const Reply& reply, const std::string& what) const {
  const Code code = status_of(reply);
  if (code != Code::Ok) throw failure(code, what);
}

Error Client::failure(Code code, const std::string& what) {
  switch (code) {
    case Code::NoSuchFile:
      return Error{ErrorCode::NotFound, what + ": no such file or folder"};
    case Code::PermissionDenied:
      return Error{ErrorCode::PermissionDenied, what + ": permission denied"};
    case Code::NoConnection:
    case Code::ConnectionLost:
      return Error{ErrorCode::Unavailable, what + ": the server lost its connection"};
    case Code::Unsupported:
      return Error{ErrorCode::Unimplemented, what + ": the server does not support it"};
    default:
      return Error{ErrorCode::FailedPrecondition, what + ": the server says only that it failed"};
  }
}

bool Client::is_full(const std::string& path) {
  if (!offers("statvfs@openssh.com")) return false;
  const uint32_t id = next_id();
  send(Packet{Type::Extended, id}.text("statvfs@openssh.com").text(path).take());
  const Reply reply = receive(id);
  if (reply.type != Type::ExtendedReply) return false;
  // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail, …
  Fields in{reply.body};
  for (int i = 0; i < 2; ++i) in.u64();
  const uint64_t blocks = in.u64();
  in.u64();
  const uint64_t available = in.u64();
  const uint64_t files = in.u64();
  in.u64();
  return (blocks > 0 && available == 0) || (files > 0 && in.u64() == 0);
}

}  // namespace dbackup::sftp
