#include "transfer.hpp"

#include <algorithm>
#include <map>

namespace dbackup::sftp {
namespace {

// As many as sftp(1) keeps in flight. An answer to a write and a request to read are below 300
// bytes: all of them fit into a pipe of 64 KiB, see Client.
constexpr size_t kInFlight = 64;
// 64 of them are 4 MiB: that much a server that answers out of order can make this side hold.
constexpr size_t kReadBlock = size_t{64} * 1024;

}  // namespace

uint64_t write_file(Client& client, const std::string& handle, Reader& in,
                    const std::string& shown) {
  const size_t block_size = client.largest_write();
  size_t in_flight = 0;
  const auto take_answer = [&] {
    client.expect_ok(client.receive(), "cannot write \"" + shown + "\"");
    --in_flight;
  };
  // The head of the packet is put right before the bytes, so that one write sends both.
  const size_t head_size = 4 + 1 + 4 + 4 + handle.size() + 8 + 4;
  std::string packet(head_size + block_size, '\0');
  const auto block = std::as_writable_bytes(std::span{packet.data() + head_size, block_size});
  uint64_t offset = 0;
  while (const size_t n = in.read_full(block)) {
    client.call().check_cancelled();
    if (in_flight == kInFlight) take_answer();
    const std::string head = Packet{Type::Write, client.next_id()}
                                 .text(handle)
                                 .u64(offset)
                                 .u32(static_cast<uint32_t>(n))
                                 .take(n);
    std::ranges::copy(head, packet.begin());
    client.send({packet.data(), head_size + n});
    ++in_flight;
    offset += n;
    client.call().progress(offset, 0);
  }
  while (in_flight > 0) {
    client.call().check_cancelled();
    take_answer();
  }
  return offset;
}

namespace {

class PipelinedRead {
 public:
  PipelinedRead(Client& client, const std::string& handle, uint64_t offset, uint64_t length,
                Writer& out, const std::string& shown)
      : client_{client},
        handle_{handle},
        out_{out},
        shown_{shown},
        block_{std::min(client.largest_read(), kReadBlock)},
        start_{offset},
        asked_{offset},
        written_{offset},
        end_{offset + length} {}

  uint64_t run() {
    while (written_ < end_) {
      client_.call().check_cancelled();
      while (in_flight_.size() + early_.size() < kInFlight && asked_ < end_) {
        const auto size = static_cast<uint32_t>(std::min<uint64_t>(block_, end_ - asked_));
        ask(asked_, size);
        asked_ += size;
      }
      if (in_flight_.empty()) break;  // the file ended
      take(client_.receive());
    }
    return written_ - start_;
  }

 private:
  struct Part {
    uint64_t offset;
    uint32_t size;
  };

  void ask(uint64_t offset, uint32_t size) {
    const uint32_t id = client_.next_id();
    in_flight_.emplace(id, Part{offset, size});
    client_.send(Packet{Type::Read, id}.text(handle_).u64(offset).u32(size).take());
  }

  void take(const Reply& reply) {
    const auto found = in_flight_.find(reply.id);
    if (found == in_flight_.end()) return;
    const Part part = found->second;
    in_flight_.erase(found);
    if (reply.type != Type::Data) {
      const Code code = Client::status_of(reply);
      if (code != Code::Eof) throw Client::failure(code, "cannot read \"" + shown_ + "\"");
      end_ = asked_ = std::min(end_, std::max(part.offset, written_));
      return;
    }
    const std::string_view data = Fields{reply.body}.text().substr(0, part.size);
    if (data.size() < part.size && part.offset < end_) {
      if (data.empty()) throw Client::failure(Code::Failure, "cannot read \"" + shown_ + "\"");
      // A short answer is no end of file (section 6.4): the rest is asked for once more.
      const auto got = static_cast<uint32_t>(data.size());
      ask(part.offset + got, part.size - got);
    }
    if (part.offset != written_) {
      early_.emplace(part.offset, data);
      return;
    }
    pass_on(data);
    while (!early_.empty() && early_.begin()->first == written_) {
      const std::string next = std::move(early_.begin()->second);
      early_.erase(early_.begin());
      pass_on(next);
    }
  }

  void pass_on(std::string_view data) {
    out_.write(data);
    written_ += data.size();
    client_.call().progress(written_ - start_, 0);
  }

  Client& client_;
  const std::string& handle_;
  Writer& out_;
  const std::string& shown_;
  const size_t block_;
  const uint64_t start_;
  uint64_t asked_;
  uint64_t written_;
  uint64_t end_;
  std::map<uint32_t, Part> in_flight_;
  std::map<uint64_t, std::string> early_;
};

}  // namespace

uint64_t read_file(Client& client, const std::string& handle, uint64_t offset, uint64_t length,
                   Writer& out, const std::string& shown) {
  return PipelinedRead{client, handle, offset, length, out, shown}.run();
}

}  // namespace dbackup::sftp
