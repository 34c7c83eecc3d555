#include "answers.hpp"

#include <curl/curl.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <dbackup/error.hpp>
#include <pugixml.hpp>

namespace dbackup::plugins::s3 {
namespace {

pugi::xml_node load(pugi::xml_document& document, const std::string& body, const char* root) {
  const auto parsed =
      document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
  const pugi::xml_node node = parsed ? document.child(root) : pugi::xml_node{};
  if (!node) {
    throw Error{ErrorCode::Aborted, std::string{"the server's answer is not a <"} + root +
                                        ">; is \"endpoint\" an S3 server?"};
  }
  return node;
}

uint64_t number(const char* text) {
  uint64_t out = 0;
  const std::string_view view{text};
  std::from_chars(view.data(), view.data() + view.size(), out);
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// encoding-type=url is the form encoding: a blank is "+".
std::string url_decoded(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size() && digit(text[at + 1]) >= 0 &&
        digit(text[at + 2]) >= 0) {
      out += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
      at += 2;
    } else {
      out += text[at] == '+' ? ' ' : text[at];
    }
  }
  return out;
}

/// Servers may ignore the wish for encoded keys; then they do not repeat it.
class Keys {
 public:
  explicit Keys(const pugi::xml_node& answer)
      : encoded_{std::string_view{answer.child_value("EncodingType")} == "url"} {}
  std::string operator()(const char* text) const { return encoded_ ? url_decoded(text) : text; }

 private:
  bool encoded_;
};

}  // namespace

ErrorBody parse_error(const std::string& body) noexcept {
  ErrorBody out;
  try {
    pugi::xml_document document;
    if (!document.load_buffer(body.data(), body.size())) return out;
    pugi::xml_node error = document.child("Error");
    if (!error) error = document.child("ErrorResponse").child("Error");
    out.code = error.child_value("Code");
    out.message = error.child_value("Message");
    out.region = error.child_value("Region");
    out.endpoint = error.child_value("Endpoint");
    out.storage_class = error.child_value("StorageClass");
    out.request_id = error.child_value("RequestId");
  } catch (...) {  // no memory for words about an error
  }
  return out;
}

ListPage parse_list(const std::string& body) {
  pugi::xml_document document;
  const pugi::xml_node answer = load(document, body, "ListBucketResult");
  const Keys key{answer};
  ListPage page;
  for (const pugi::xml_node& item : answer.children("Contents")) {
    page.objects.push_back({.key = key(item.child_value("Key")),
                            .size = number(item.child_value("Size")),
                            .modified_ms = parse_iso_time(item.child_value("LastModified")),
                            .storage_class = item.child_value("StorageClass")});
  }
  for (const pugi::xml_node& item : answer.children("CommonPrefixes")) {
    page.prefixes.push_back(key(item.child_value("Prefix")));
  }
  if (std::string_view{answer.child_value("IsTruncated")} == "true") {
    page.next = answer.child_value("NextContinuationToken");
    if (page.next.empty()) {
      throw Error{ErrorCode::Aborted, "the server cut a listing and does not say how to go on"};
    }
  }
  return page;
}

std::string parse_upload_id(const std::string& body) {
  pugi::xml_document document;
  std::string id = load(document, body, "InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty()) throw Error{ErrorCode::Aborted, "the server began an upload without an id"};
  return id;
}

Completed parse_completed(const std::string& body) {
  if (const ErrorBody error = parse_error(body); !error.code.empty()) {
    return {.error = error.code, .message = error.message};
  }
  pugi::xml_document document;
  const pugi::xml_node answer = load(document, body, "CompleteMultipartUploadResult");
  return {.etag = answer.child_value("ETag"),
          .checksum_sha256 = answer.child_value("ChecksumSHA256")};
}

UploadPage parse_uploads(const std::string& body) {
  pugi::xml_document document;
  const pugi::xml_node answer = load(document, body, "ListMultipartUploadsResult");
  const Keys key{answer};
  UploadPage page;
  for (const pugi::xml_node& item : answer.children("Upload")) {
    page.uploads.push_back({.key = key(item.child_value("Key")),
                            .upload_id = item.child_value("UploadId"),
                            .initiated_ms = parse_iso_time(item.child_value("Initiated"))});
  }
  if (std::string_view{answer.child_value("IsTruncated")} == "true") {
    page.next_key = key(answer.child_value("NextKeyMarker"));
    page.next_upload_id = answer.child_value("NextUploadIdMarker");
  }
  return page;
}

bool has_parts(const std::string& body) {
  pugi::xml_document document;
  return static_cast<bool>(load(document, body, "ListPartsResult").child("Part"));
}

int64_t parse_iso_time(std::string_view text) {
  const std::string copy{text};
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  double second = 0;
  if (std::sscanf(copy.c_str(), "%d-%u-%uT%d:%d:%lf", &year, &month, &day, &hour, &minute,
                  &second) != 6) {
    return 0;
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                            std::chrono::day{day}};
  if (!date.ok()) return 0;
  const auto at = sys_days{date} + hours{hour} + minutes{minute};
  return duration_cast<milliseconds>(at.time_since_epoch()).count() +
         static_cast<int64_t>(second * 1000);
}

int64_t parse_http_time(const std::string& text) {
  const std::time_t seconds = curl_getdate(text.c_str(), nullptr);
  return seconds < 0 ? 0 : static_cast<int64_t>(seconds) * 1000;
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace dbackup::plugins::s3
