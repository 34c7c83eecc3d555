#include "s3_storage.hpp"

#include "answers.hpp"
#include "common/object_path.hpp"
#include "download.hpp"
#include "markers.hpp"
#include "object_key.hpp"
#include "put.hpp"

namespace dbackup::plugins::s3 {
namespace {

// A test is waited for by a person.
constexpr int kTestAttempts = 2;

}  // namespace

std::string S3Storage::key_of(const std::string& path) const {
  check_object_path(path);
  return client_.settings().prefix + path;
}

TestResult S3Storage::test(Call& call) {
  const Settings& settings = client_.settings();
  const Check check = [&] { call.check_cancelled(); };
  const std::string key = key_of(probe_path(settings.adapter_id));
  const std::string shown = "\"" + settings.shown(key) + "\"";
  const std::string_view content = "connection test\n";
  Request write{.method = "PUT",
                .key = key,
                .body = std::as_bytes(std::span{content}),
                .attempts = kTestAttempts};
  if (!settings.encryption.empty()) {
    write.headers.emplace_back("x-amz-server-side-encryption", settings.encryption);
  }
  if (!settings.kms_key_id.empty()) {
    write.headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key_id);
  }
  // Not to be kept for years; a bucket with a retention of its own insists on a checksum all the
  // same.
  write.headers.emplace_back("content-md5", base64(md5(write.body)));
  const Request remove{.method = "DELETE", .key = key, .accept = {404}, .attempts = kTestAttempts};
  try {
    client_.send(write, "cannot write " + shown, check);
    const Response back =
        client_.send({.key = key, .attempts = kTestAttempts}, "cannot read " + shown, check);
    if (back.body != content) {
      throw Error{ErrorCode::DataLoss,
                  "the server does not give back what was written to " + shown};
    }
  } catch (const Error& error) {
    // What was refused is not there; nobody waits for an answer from a server that gives none.
    const auto* refused = dynamic_cast<const ServiceError*>(&error);
    if (refused == nullptr && !is_transient(error)) {
      try {
        client_.send(remove, "cannot remove " + shown, [] {});
      } catch (const Error&) {  // the first failure is the one to tell
      }
    }
    throw;
  }
  client_.send(remove, "cannot remove " + shown, check);
  // Backups could not be listed otherwise.
  ping(call);
  return {.message = "Connection successful (Write/Delete verified)"};
}

void S3Storage::ping(Call& call) {
  const Settings& settings = client_.settings();
  parse_list(client_
                 .send({.query = {{"list-type", "2"},
                                  {"encoding-type", "url"},
                                  {"max-keys", "1"},
                                  {"prefix", settings.prefix}},
                        .attempts = kTestAttempts},
                       "cannot list \"" + settings.shown(settings.prefix) + "\"",
                       [&] { call.check_cancelled(); })
                 .body);
}

ObjectInfo S3Storage::put(Call& call, const PutRequest& request, Reader& in) {
  check_object_path(request.path);
  check_token(request.token);
  return Put{client_, call, request}.run(in);
}

void S3Storage::get(Call& call, const std::string& path, uint64_t offset,
                    std::optional<uint64_t> length, Writer& out) {
  const std::string key = key_of(path);
  if (length && *length == 0) {
    // A range cannot be empty; that the object exists is still to be said.
    if (!head(client_, key, [&] { call.check_cancelled(); })) {
      throw Error{ErrorCode::NotFound, "no object \"" + client_.settings().shown(key) + "\""};
    }
    return;
  }
  Download{client_, call, key, offset, length, out}.run();
}

void S3Storage::list(Call& call, const std::string& prefix,
                     const std::function<void(const ObjectInfo&)>& found) {
  const Settings& settings = client_.settings();
  const std::string below = settings.prefix + folder_prefix(prefix);
  for_each_page(
      client_, {{"prefix", below}}, "cannot list \"" + settings.shown(below) + "\"",
      [&] { call.check_cancelled(); },
      [&](const ListPage& page) {
        for (const ListedObject& object : page.objects) {
          call.check_cancelled();
          // Consoles keep a "folder" as an object of no bytes whose key ends in a slash.
          if (!object.key.starts_with(below) || object.key.ends_with('/')) continue;
          std::string path = object.key.substr(settings.prefix.size());
          if (path.starts_with(kMarkers)) continue;
          if (!can_be_named(path)) {
            call.warning("\"" + settings.shown(object.key) +
                         "\" is left out: no request could name it");
            continue;
          }
          found({.path = std::move(path),
                 .size = object.size,
                 .modified_ms = object.modified_ms,
                 .storage_class = object.storage_class});
        }
      });
}

std::optional<ObjectInfo> S3Storage::stat(Call& call, const std::string& path) {
  const auto found = head(client_, key_of(path), [&] { call.check_cancelled(); });
  if (!found) return std::nullopt;
  return ObjectInfo{.path = path,
                    .size = found->size,
                    .modified_ms = found->modified_ms,
                    .storage_class = found->storage_class};
}

bool S3Storage::remove(Call& call, const std::string& path) {
  const std::string key = key_of(path);
  const Check check = [&] { call.check_cancelled(); };
  // S3 says the same whether or not there was something to remove.
  if (!head(client_, key, check)) return false;
  client_.send({.method = "DELETE", .key = key, .accept = {404}},
               "cannot remove \"" + client_.settings().shown(key) + "\"", check);
  return true;
}

uint64_t S3Storage::cleanup(Call& call, const std::string& token) {
  check_token(token);
  return Markers{client_}.cleanup(token, call);
}

void S3Storage::browse(Call& call, const std::string& path,
                       const std::function<void(const std::string&, const std::string&)>& folder) {
  const Settings& settings = client_.settings();
  const std::string below = settings.prefix + folder_prefix(path);
  for_each_page(
      client_, {{"prefix", below}, {"delimiter", "/"}},
      "cannot list \"" + settings.shown(below) + "\"", [&] { call.check_cancelled(); },
      [&](const ListPage& page) {
        for (const std::string& prefix : page.prefixes) {
          if (!prefix.starts_with(below) || !prefix.ends_with('/')) continue;
          const std::string name = prefix.substr(below.size(), prefix.size() - below.size() - 1);
          std::string whole = prefix.substr(settings.prefix.size());
          if (whole == kMarkers) continue;
          whole.pop_back();
          if (can_be_named(whole)) folder(name, whole);
        }
      });
}

}  // namespace dbackup::plugins::s3
