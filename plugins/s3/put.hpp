#pragma once

#include <dbackup/storage.hpp>
#include <optional>

#include "client.hpp"
#include "markers.hpp"
#include "part_memory.hpp"
#include "part_sender.hpp"

namespace dbackup::plugins::s3 {

/// What HEAD says of an object.
struct Head {
  uint64_t size = 0;
  int64_t modified_ms = 0;
  std::string storage_class;
  std::string etag;
  std::string upload_mark;  ///< whose upload made it; see Put
};
/// nullopt when there is no such object.
std::optional<Head> head(Client& client, const std::string& key, const Check& check);

/// One put. An object small enough for one part is stored by one request, any other by a multipart
/// upload. Every object carries "x-amz-meta-dbackup-upload: <token>.<nonce>": when the answer to a
/// commit is lost, or the commit is refused because the key is taken, that tells whether it was
/// this put that took it.
class Put {
 public:
  Put(Client& client, Call& call, const PutRequest& request);

  ObjectInfo run(Reader& in);

 private:
  Check cancellable() const {
    return [this] { call_.check_cancelled(); };
  }
  size_t fill(Reader& in, std::span<std::byte> buffer);
  Pairs object_headers() const;
  ObjectInfo store_whole(std::span<const std::byte> body);
  ObjectInfo store_parts(Reader& in, PartMemory& memory, PartBuffer first, PartBuffer second,
                         size_t second_size);
  void send_parts(Reader& in, PartMemory& memory, PartSender& sender, PartBuffer first,
                  PartBuffer second, size_t second_size);
  void complete(const std::string& upload_id, const std::vector<SentPart>& parts);
  void refuse_taken();
  void without_condition(const Response& response);
  bool is_ours(const Check& check);
  void undo() noexcept;
  void give_up(const Marker& marker) noexcept;
  Error taken() const;

  Client& client_;
  Call& call_;
  const PutRequest& request_;
  const std::string key_;
  const std::string shown_;
  const std::string nonce_;
  bool conditional_ = false;  // "If-None-Match: *" is sent
  uint64_t read_ = 0;
};

}  // namespace dbackup::plugins::s3
