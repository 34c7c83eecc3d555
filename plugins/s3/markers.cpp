#include "markers.hpp"

#include <algorithm>

#include "answers.hpp"
#include "object_key.hpp"

namespace dbackup::plugins::s3 {
namespace {

constexpr int kAbortTries = 5;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

}  // namespace

void for_each_page(Client& client, const Pairs& query, const std::string& what, const Check& check,
                   const std::function<void(const ListPage&)>& page) {
  std::string next;
  do {
    Request request{.query = query};
    request.query.emplace_back("list-type", "2");
    request.query.emplace_back("encoding-type", "url");
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    const ListPage answer = parse_list(client.send(request, what, check).body);
    if (!answer.next.empty() && answer.next == next) {
      throw Error{ErrorCode::Aborted, what + ": the server gives the same page again and again"};
    }
    page(answer);
    next = answer.next;
  } while (!next.empty());
}

std::string Markers::marker_key(const Marker& marker) const {
  return client_.settings().prefix + std::string{kMarkers} + marker.token + "/" + marker.nonce;
}

void Markers::write(const Marker& marker, const Check& check) {
  Json content{{"key", marker.key}};
  if (!marker.upload_id.empty()) content["uploadId"] = marker.upload_id;
  const std::string text = to_text(content);
  Request request{.method = "PUT", .key = marker_key(marker), .body = bytes_of(text)};
  // The bucket's rules about encryption count here too.
  const Settings& settings = client_.settings();
  if (!settings.encryption.empty()) {
    request.headers.emplace_back("x-amz-server-side-encryption", settings.encryption);
  }
  if (!settings.kms_key_id.empty()) {
    request.headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id",
                                 settings.kms_key_id);
  }
  // A bucket with a retention of its own takes nothing without a checksum.
  request.headers.emplace_back("content-md5", base64(md5(request.body)));
  client_.send(request, "cannot note an upload in \"" + settings.shown(request.key) + "\"", check);
}

void Markers::remove(const Marker& marker, const Check& check) {
  const std::string key = marker_key(marker);
  client_.send({.method = "DELETE", .key = key, .accept = {404}},
               "cannot remove \"" + client_.settings().shown(key) + "\"", check);
}

void Markers::abort(const std::string& key, const std::string& upload_id, const Check& check) {
  const std::string what = "cannot abort an upload of \"" + client_.settings().shown(key) + "\"";
  const Pairs query{{"uploadId", upload_id}};
  for (int tries = kAbortTries;; --tries) {
    client_.send({.method = "DELETE", .key = key, .query = query, .accept = {404}}, what, check);
    // A part that was on its way can arrive after the abort and stay; asking shows it,
    // where the key may ask.
    const Response left =
        client_.send({.key = key, .query = query, .accept = {403, 404, 501}}, what, check);
    if (left.status != 200) return;
    if (tries == 1) throw Error{ErrorCode::Unavailable, what + ": parts of it are still there"};
  }
}

std::vector<Marker> Markers::read_all(const std::string& token, const Check& check) {
  const Settings& settings = client_.settings();
  const std::string root = settings.prefix + std::string{kMarkers};
  const std::string below = token.empty() ? root : root + token + "/";
  const std::string what = "cannot list \"" + settings.shown(below) + "\"";
  std::vector<std::string> keys;
  for_each_page(client_, {{"prefix", below}}, what, check, [&](const ListPage& page) {
    for (const ListedObject& object : page.objects) keys.push_back(object.key);
  });
  std::vector<Marker> out;
  for (const std::string& key : keys) {
    const std::string rest = key.substr(root.size());
    const size_t slash = rest.find('/');
    if (slash == rest.npos || slash + 1 == rest.size()) continue;
    const Response answer = client_.send({.key = key, .accept = {404}},
                                         "cannot read \"" + settings.shown(key) + "\"", check);
    if (answer.status == 404) continue;  // removed meanwhile
    const Json content = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    Marker marker{.token = rest.substr(0, slash), .nonce = rest.substr(slash + 1)};
    if (content.is_object()) {
      const Config members{content};
      marker.key = members.text("key");
      marker.upload_id = members.text("uploadId");
    }
    out.push_back(std::move(marker));
  }
  return out;
}

void Markers::abort_strays(const Marker& marker, const Check& check) {
  const Settings& settings = client_.settings();
  const std::string what = "cannot list uploads of \"" + settings.shown(marker.key) + "\"";
  std::vector<ListedUpload> found;
  std::string next_key;
  std::string next_upload;
  do {
    Request request{.query = {{"uploads", ""}, {"prefix", marker.key}, {"encoding-type", "url"}},
                    .accept = {501}};
    if (!next_key.empty()) request.query.emplace_back("key-marker", next_key);
    if (!next_upload.empty()) request.query.emplace_back("upload-id-marker", next_upload);
    const Response answer = client_.send(request, what, check);
    if (answer.status == 501) return;
    UploadPage page = parse_uploads(answer.body);
    for (ListedUpload& upload : page.uploads) {
      if (upload.key == marker.key) found.push_back(std::move(upload));
    }
    next_key = page.next_key;
    next_upload = page.next_upload_id;
  } while (!next_key.empty());
  if (found.empty()) return;
  std::vector<std::string> named{marker.upload_id};
  for (const Marker& other : read_all("", check)) {
    if (other.key != marker.key || (other.token == marker.token && other.nonce == marker.nonce))
      continue;
    if (other.upload_id.empty()) return;  // it could be that one's
    named.push_back(other.upload_id);
  }
  for (const ListedUpload& upload : found) {
    if (std::ranges::find(named, upload.upload_id) != named.end()) continue;
    const Response parts = client_.send(
        {.key = upload.key, .query = {{"uploadId", upload.upload_id}}, .accept = {404}}, what,
        check);
    if (parts.status == 200 && !has_parts(parts.body)) abort(upload.key, upload.upload_id, check);
  }
}

uint64_t Markers::cleanup(const std::string& token, const Call& call) {
  const Check check = [&] { call.check_cancelled(); };
  uint64_t removed = 0;
  for (const Marker& marker : read_all(token, check)) {
    if (!marker.key.starts_with(client_.settings().prefix)) {
      call.warning("the marker of an upload is damaged; its upload was not looked for");
    } else if (marker.upload_id.empty()) {
      abort_strays(marker, check);
    } else {
      abort(marker.key, marker.upload_id, check);
    }
    remove(marker, check);
    ++removed;
  }
  return removed;
}

}  // namespace dbackup::plugins::s3
