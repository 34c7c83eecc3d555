#include "put.hpp"

#include <algorithm>
#include <chrono>
#include <random>

#include "answers.hpp"
#include "completion.hpp"
#include "part_plan.hpp"

namespace dbackup::plugins::s3 {
namespace {

constexpr unsigned kMostThreads = 16;
// Servers put the parts together before they answer.
constexpr std::chrono::milliseconds kCompleteStall{600'000};
constexpr std::chrono::seconds kTidyLimit{5};

std::string random_hex() {
  std::random_device random;
  std::vector<unsigned char> bytes(16);
  for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random());
  return hex(bytes);
}

/// For what must be done although the operation was cancelled: its own short limit instead.
Check limited() {
  const auto until = std::chrono::steady_clock::now() + kTidyLimit;
  return [until] {
    if (std::chrono::steady_clock::now() > until) {
      throw Error{ErrorCode::DeadlineExceeded, "no time left to tidy up"};
    }
  };
}

/// Side files are read whenever backups are listed, so they are not archived with what they
/// describe.
bool is_side_file(const std::string& path) {
  return path.ends_with(".meta.json") || path.ends_with(".index");
}
/// The server may have done what was asked of it all the same.
bool may_have_worked(const Error& error) {
  return error.code() == ErrorCode::Cancelled || error.code() == ErrorCode::Aborted ||
         error.code() == ErrorCode::DataLoss || is_transient(error);
}
bool is_archive(const std::string& storage_class) {
  return storage_class == "GLACIER" || storage_class == "DEEP_ARCHIVE";
}

}  // namespace

std::optional<Head> head(Client& client, const std::string& key, const Check& check) {
  const Response response =
      client.send({.method = "HEAD", .key = key, .accept = {404}},
                  "cannot look up \"" + client.settings().shown(key) + "\"", check);
  if (response.status == 404) return std::nullopt;
  const std::string length = response.header("content-length");
  Head out{.modified_ms = parse_http_time(response.header("last-modified")),
           .storage_class = response.header("x-amz-storage-class"),
           .etag = response.header("etag"),
           .upload_mark = response.header("x-amz-meta-dbackup-upload")};
  out.size = length.empty() ? 0 : std::strtoull(length.c_str(), nullptr, 10);
  return out;
}

Put::Put(Client& client, Call& call, const PutRequest& request)
    : client_{client},
      call_{call},
      request_{request},
      key_{client.settings().prefix + request.path},
      shown_{client.settings().shown(key_)},
      nonce_{random_hex()},
      conditional_{!request.replace && client.settings().conditional != ConditionalWrites::Off} {
  if (key_.size() > 1024) {
    throw Error{ErrorCode::InvalidArgument,
                "the key \"" + key_ + "\" is longer than the 1024 bytes that S3 allows"};
  }
}

Error Put::taken() const {
  return Error{ErrorCode::AlreadyExists, "\"" + shown_ + "\" already exists"};
}

void Put::refuse_taken() {
  if (request_.replace) return;
  if (const auto found = head(client_, key_, cancellable()); found) throw taken();
}

bool Put::is_ours(const Check& check) {
  const auto found = head(client_, key_, check);
  return found && found->upload_mark == request_.token + "." + nonce_;
}

/// The server does not know conditional writes.
void Put::without_condition(const Response& response) {
  if (client_.settings().conditional == ConditionalWrites::On) {
    throw Error{ErrorCode::FailedPrecondition,
                client_.settings().atomic_commit
                    ? "the server has no conditional writes, so a race for \"" + shown_ +
                          "\" could not be decided: use the adapter \"s3-generic\" for it"
                    : "the server has no conditional writes: set \"conditionalWrites\" to \"auto\"",
                "HTTP " + std::to_string(response.status)};
  }
  call_.warning(
      "the server has no conditional writes: whether the name is taken was looked up just before");
  conditional_ = false;
}

Pairs Put::object_headers() const {
  const Settings& settings = client_.settings();
  Pairs out{{"content-type", "application/octet-stream"},
            {"x-amz-meta-dbackup-upload", request_.token + "." + nonce_}};
  if (!settings.storage_class.empty()) {
    const bool kept_near = is_archive(settings.storage_class) && is_side_file(request_.path);
    out.emplace_back("x-amz-storage-class", kept_near ? "STANDARD" : settings.storage_class);
  }
  if (!settings.encryption.empty()) {
    out.emplace_back("x-amz-server-side-encryption", settings.encryption);
  }
  if (!settings.kms_key_id.empty()) {
    out.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key_id);
  }
  if (!settings.lock_mode.empty()) {
    const std::string stamp =
        amz_date(std::chrono::system_clock::now() + std::chrono::hours{24} * settings.lock_days);
    out.emplace_back("x-amz-object-lock-mode", settings.lock_mode);
    // From 20150830T123600Z to 2015-08-30T12:36:00Z.
    out.emplace_back("x-amz-object-lock-retain-until-date",
                     stamp.substr(0, 4) + "-" + stamp.substr(4, 2) + "-" + stamp.substr(6, 5) +
                         ":" + stamp.substr(11, 2) + ":" + stamp.substr(13, 3));
  }
  return out;
}

/// Asks for cancellation before every read: after a yes nothing more is read.
size_t Put::fill(Reader& in, std::span<std::byte> buffer) {
  size_t filled = 0;
  while (filled < buffer.size()) {
    call_.check_cancelled();
    const size_t n = in.read(buffer.subspan(filled));
    if (n == 0) break;
    filled += n;
    read_ += n;
    call_.progress(read_, 0);
  }
  return filled;
}

ObjectInfo Put::run(Reader& in) {
  refuse_taken();
  const Settings& settings = client_.settings();
  const PartPlan plan{settings.part_bytes, settings.memory_bytes, settings.equal_parts};
  PartMemory memory{settings.memory_bytes};
  PartBuffer first = memory.take(plan.size_of(1), cancellable());
  const size_t first_size = fill(in, first.bytes());
  if (first_size == first.size()) {
    PartBuffer second = memory.take(plan.size_of(2), cancellable());
    if (const size_t second_size = fill(in, second.bytes()); second_size > 0) {
      return store_parts(in, memory, std::move(first), std::move(second), second_size);
    }
  }
  call_.check_cancelled();
  return store_whole(std::span<const std::byte>{first.bytes()}.first(first_size));
}

ObjectInfo Put::store_whole(std::span<const std::byte> body) {
  const std::string what = "cannot store \"" + shown_ + "\"";
  const std::vector<unsigned char> sum = sha256(body);
  if (client_.settings().conditional == ConditionalWrites::Off ||
      !client_.settings().atomic_commit) {
    refuse_taken();
  }
  try {
    for (Conflict conflict;;) {
      Request request{.method = "PUT",
                      .key = key_,
                      .headers = object_headers(),
                      .body = body,
                      .body_sha256 = sum};
      request.headers.emplace_back("x-amz-meta-dbackup-sha256", hex(sum));
      if (conditional_) {
        request.headers.emplace_back("if-none-match", "*");
        request.accept = {409, 412, 501};
      }
      const Response response = client_.send_body(request, what, cancellable());
      if (response.status == 501) {
        without_condition(response);
        refuse_taken();
        continue;
      }
      if (response.status == 409 || response.status == 412) {
        // Taken by an earlier attempt of ours whose answer was lost, or by somebody else.
        const auto found = head(client_, key_, cancellable());
        if (found && found->upload_mark != request_.token + "." + nonce_) throw taken();
        if (!found) {
          conflict.wait_or_throw(service_error(client_.settings(), what, response), cancellable());
          continue;
        }
      } else {
        check_answer(response, sum, what);
      }
      const int64_t now = parse_http_time(response.header("date"));
      return {.path = request_.path,
              .size = body.size(),
              .modified_ms = now,
              .storage_class = response.header("x-amz-storage-class")};
    }
  } catch (const Error& error) {
    if (may_have_worked(error)) undo();
    throw;
  }
}

/// After a commit whose outcome nobody saw: takes back an object of ours.
void Put::undo() noexcept {
  if (request_.replace) return;  // the old one cannot come back, and the new one is whole
  try {
    const Check check = limited();
    if (!is_ours(check)) return;
    client_.send({.method = "DELETE", .key = key_, .accept = {404}}, "cannot take back an object",
                 check);
  } catch (const std::exception& error) {
    call_.warning("\"" + shown_ + "\" may have been stored all the same: " + error.what());
  }
}

void Put::give_up(const Marker& marker) noexcept {
  try {
    const Check check = limited();
    Markers markers{client_};
    if (marker.upload_id.empty()) {
      markers.abort_strays(marker, check);
    } else {
      markers.abort(key_, marker.upload_id, check);
    }
    markers.remove(marker, check);
  } catch (const std::exception& error) {  // cleanup() finds the marker
    call_.warning("an unfinished upload of \"" + shown_ +
                  "\" was left for the clean-up: " + error.what());
  }
}

ObjectInfo Put::store_parts(Reader& in, PartMemory& memory, PartBuffer first, PartBuffer second,
                            size_t second_size) {
  const Settings& settings = client_.settings();
  const std::string what = "cannot begin to store \"" + shown_ + "\"";
  Markers markers{client_};
  Marker marker{.token = request_.token, .nonce = nonce_, .key = key_};
  bool committing = false;
  try {
    markers.write(marker, cancellable());
    Request begin{.method = "POST",
                  .key = key_,
                  .query = {{"uploads", ""}},
                  .headers = object_headers(),
                  .fresh = true};
    if (settings.checksum == Checksum::Sha256) {
      begin.headers.emplace_back("x-amz-checksum-algorithm", "SHA256");
    }
    bool retried = false;
    marker.upload_id = parse_upload_id(client_.send(begin, what, cancellable(), &retried).body);
    markers.write(marker, cancellable());
    // An attempt whose answer was lost may have begun an upload that nobody knows.
    if (retried) markers.abort_strays(marker, cancellable());
    std::vector<SentPart> parts;
    {
      const auto threads =
          std::clamp<uint64_t>(settings.memory_bytes / settings.part_bytes - 1, 1, kMostThreads);
      PartSender sender{client_, key_,   marker.upload_id,
                        call_,   memory, static_cast<unsigned>(threads)};
      send_parts(in, memory, sender, std::move(first), std::move(second), second_size);
      parts = sender.finish();
    }
    call_.check_cancelled();
    committing = true;
    complete(marker.upload_id, parts);
    const auto stored = head(client_, key_, cancellable());
    if (!stored || stored->size != read_) {
      throw Error{ErrorCode::DataLoss,
                  "\"" + shown_ + "\" has " + (stored ? std::to_string(stored->size) : "no") +
                      " bytes after the upload instead of " + std::to_string(read_)};
    }
    markers.remove(marker, cancellable());
    return {.path = request_.path,
            .size = stored->size,
            .modified_ms = stored->modified_ms,
            .storage_class = stored->storage_class};
  } catch (...) {
    give_up(marker);
    if (committing) undo();
    throw;
  }
}

void Put::send_parts(Reader& in, PartMemory& memory, PartSender& sender, PartBuffer first,
                     PartBuffer second, size_t second_size) {
  const Settings& settings = client_.settings();
  const PartPlan plan{settings.part_bytes, settings.memory_bytes, settings.equal_parts};
  const size_t first_size = first.size();
  sender.send(1, std::move(first), first_size);
  bool full = second_size == second.size();
  sender.send(2, std::move(second), second_size);
  for (unsigned number = 3; full; ++number) {
    PartBuffer buffer =
        memory.take(plan.size_of(std::min(number, kMostParts)), [&] { sender.check(); });
    const size_t size = fill(in, buffer.bytes());
    if (size == 0) return;
    if (number > kMostParts || read_ > kLargestObject) {
      throw Error{ErrorCode::ResourceExhausted,
                  "\"" + shown_ + "\" is larger than the " +
                      std::to_string(plan.largest_object() >> 30) +
                      " GiB that its settings allow: raise \"memoryMiB\" or \"partSizeMiB\""};
    }
    full = size == buffer.size();
    sender.send(number, std::move(buffer), size);
  }
}

void Put::complete(const std::string& upload_id, const std::vector<SentPart>& parts) {
  const Settings& settings = client_.settings();
  const std::string what = "cannot complete \"" + shown_ + "\"";
  const std::string body = completion_body(settings, parts);
  if (!settings.atomic_commit) refuse_taken();
  Backoff backoff;
  for (Conflict conflict;;) {
    Request request{.method = "POST",
                    .key = key_,
                    .query = {{"uploadId", upload_id}},
                    .headers = {{"content-type", "application/xml"}},
                    .body = std::as_bytes(std::span{body.data(), body.size()}),
                    .accept = {404, 409},
                    .stall = kCompleteStall};
    if (conditional_) {
      request.headers.emplace_back("if-none-match", "*");
      request.accept = {404, 409, 412, 501};
    }
    Response response;
    try {
      response = client_.send(request, what, cancellable());
    } catch (const ServiceError& error) {
      if (!Conflict::is_under_way(error)) throw;
      if (is_ours(cancellable())) return;
      conflict.wait_or_throw(error, cancellable());
      continue;
    }
    if (response.status == 501) {
      without_condition(response);
      refuse_taken();
      continue;
    }
    if (response.status == 200) {
      const Completed done = parse_completed(response.body);
      if (done.error.empty()) {
        if (settings.checksum == Checksum::Sha256 && !done.checksum_sha256.empty() &&
            done.checksum_sha256 != composite_sha256(parts)) {
          throw Error{ErrorCode::DataLoss, what + ": the server computed another checksum"};
        }
        return;
      }
      // The head of the answer was sent before the work was done; the body has the truth.
      response.status = done.error == "PreconditionFailed"           ? 412
                        : done.error == "ConditionalRequestConflict" ? 409
                        : done.error == "NoSuchUpload"               ? 404
                                                                     : 500;
      if (response.status == 500) {
        backoff.wait_or_throw(service_error(settings, what, response), cancellable());
        continue;
      }
    }
    // An earlier attempt of ours may have done it, and its answer was lost.
    const auto found = head(client_, key_, cancellable());
    if (found && found->upload_mark == request_.token + "." + nonce_) return;
    if (found && conditional_ && response.status != 404) throw taken();
    const ServiceError refused = service_error(settings, what, response);
    if (response.status != 409) throw refused;
    conflict.wait_or_throw(refused, cancellable());
  }
}

}  // namespace dbackup::plugins::s3
