#pragma once

#include <string>
#include <vector>

#include "client.hpp"

namespace dbackup::plugins::s3 {

/// An upload that is under way, or was when its process died. S3's own list of uploads says nothing
/// about who began one, so every upload has a small object of its own beside the backups:
///
///   <prefix>.dbackup/uploads/<token>/<nonce>   {"key": "<whole key>", "uploadId": "…"}
///
/// It is written without an id before the upload begins, again with the id before the first part,
/// and removed last. So an upload with parts is always named by a marker, and one without an id has
/// no parts.
struct Marker {
  std::string token;
  std::string nonce;
  std::string key;
  std::string upload_id;  ///< "": not known yet
};

class Markers {
 public:
  explicit Markers(Client& client) : client_{client} {}

  void write(const Marker& marker, const Check& check);
  void remove(const Marker& marker, const Check& check);
  /// Aborts the upload and makes sure that the server forgot it. One that is not there is a
  /// success.
  void abort(const std::string& key, const std::string& upload_id, const Check& check);
  /// Aborts uploads of the marker's key that no marker names and that have no part. Does nothing
  /// while another marker of that key has no id yet: the upload could be that one's.
  void abort_strays(const Marker& marker, const Check& check);
  /// Removes what uploads with this token left; how many there were. Never touches an upload that
  /// no marker of the token names, but for strays (above).
  uint64_t cleanup(const std::string& token, const Call& call);

 private:
  std::string marker_key(const Marker& marker) const;
  std::vector<Marker> read_all(const std::string& token, const Check& check);

  Client& client_;
};

/// Calls `page` with each page of a listing of version 2; `query` has "prefix" and what else is
/// wanted.
void for_each_page(Client& client, const Pairs& query, const std::string& what, const Check& check,
                   const std::function<void(const struct ListPage&)>& page);

}  // namespace dbackup::plugins::s3
